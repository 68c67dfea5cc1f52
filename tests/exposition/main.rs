//! The exposition from outside: golden files, any name there may be, both encodings by several parsers, and what
//! is rendered when.

mod fixture;
mod golden;
mod outside;
mod parser;
mod properties;
mod recipients;
mod rendering;
