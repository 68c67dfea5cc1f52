//! Rules by which several processes share one request budget through a database. Pure: nothing is stored or sent here.

pub mod protocol;
pub mod spread;
