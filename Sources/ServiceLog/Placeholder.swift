enum ServiceLogPlaceholder {}
