//! Which file system a folder lies on: an fsync into memory would measure nothing.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// File systems that live in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// The system's folder for temporary files, or the current one if that is in memory.
///
/// # Errors
/// When both are in memory.
pub fn durable_folder() -> anyhow::Result<PathBuf> {
    let folders = [std::env::temp_dir(), std::env::current_dir()?];
    let durable = |folder: &PathBuf| !IN_MEMORY.contains(&filesystem(folder).as_str());
    match folders.into_iter().find(durable) {
        Some(folder) => Ok(folder),
        None => bail!("no folder on a disk was found: name one with --work-dir"),
    }
}

/// The type of the file system, such as `ext4`; `unknown` where the kernel does not tell.
pub fn filesystem(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounted(&mounts, &folder).unwrap_or("unknown").to_owned()
}

/// The type of the longest mount point above the folder; of two on the same point the later one counts.
fn mounted<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let entries = mounts.lines().filter_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        Some((mount.split(' ').nth(4)?, kind.split(' ').next()?))
    });
    entries
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /tmp rw shared:3 - tmpfs tmpfs rw\n";
        assert_eq!(mounted(mounts, Path::new("/tmp/a")), Some("tmpfs"));
        assert_eq!(mounted(mounts, Path::new("/tmpfiles")), Some("ext4"));
        assert_eq!(mounted("", Path::new("/tmp")), None);
    }
}
