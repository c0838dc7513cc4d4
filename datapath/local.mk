# Sources of datapath/.
