# Tests of tests/datapath/.
