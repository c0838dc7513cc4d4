# Sources of utils/weftctl/.
