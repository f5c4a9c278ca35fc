enum LibavPlaceholder {}
