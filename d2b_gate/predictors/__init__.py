"""How behaviour is foretold from features; numpy at most."""
