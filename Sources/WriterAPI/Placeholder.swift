enum WriterAPIPlaceholder {}
