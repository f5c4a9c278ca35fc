enum SystemIOPlaceholder {}
