# Sources of controller_client/.
