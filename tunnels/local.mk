# Sources of tunnels/.
