mod conformance;
mod stage;
