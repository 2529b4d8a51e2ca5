//! Officers' statements: who may release or refuse a held row, and when two have.
