enum WriterModelPlaceholder {}
