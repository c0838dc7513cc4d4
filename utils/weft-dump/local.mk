# Sources of utils/weft-dump/.
