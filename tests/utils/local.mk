# Tests of tests/utils/.
