"""The heat map: from conv5 to a map of the whole film, to colours, to an overlay."""
