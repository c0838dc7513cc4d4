# Tests of tests/controller_client/.
