# Tests of tests/checks/.
