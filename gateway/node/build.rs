//! Tells cargo to build again when a file joins or leaves the data that the program carries (`setup/embedded.rs`).

fn main() {
    for folder in ["../../schemas", "../../policies"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
