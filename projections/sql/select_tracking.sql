SELECT view, version, position FROM tracking
