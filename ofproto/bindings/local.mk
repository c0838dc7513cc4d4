# Sources of ofproto/bindings/.
