# Tests of tests/ofproto/.
