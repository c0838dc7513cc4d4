# Sources of ofproto/.
