# Tests of tests/support/.
