# Sources of utils/weftd/.
