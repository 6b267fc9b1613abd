SELECT getdatabaseencoding() AS encoding
