//! A world in virtual time, made of a script.
