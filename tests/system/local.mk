# Tests of tests/system/.
