//! How much processor time a process has used, as the kernel counts it.
//!
//! Not here: what the time was spent on. Linux only: it reads `/proc`.

use std::time::Duration;

use anyhow::Context as _;

/// The kernel tells processor time to programs in hundredths of a second (`USER_HZ`), whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

/// Time of user and kernel mode that a process has used, all of its threads together.
pub fn used(process: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
    parse(&text).with_context(|| format!("`{path}` is not of the form of proc(5)"))
}

/// Fields 14 and 15 of proc(5); the name in field 2 may hold spaces and parentheses.
fn parse(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user.checked_add(kernel)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4 10 0 0 0 250 50 0 0 20 0 9 0 100 200 300";
        assert_eq!(parse(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse("7 (x) S 1 2"), None);
    }
}
