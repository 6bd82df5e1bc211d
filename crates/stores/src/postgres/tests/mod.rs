mod conformance;
mod costs;
mod failures;
mod listening;
mod opening;
mod records;
mod reference;
mod stage;
