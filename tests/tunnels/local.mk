# Tests of tests/tunnels/.
