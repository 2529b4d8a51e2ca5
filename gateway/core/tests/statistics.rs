//! Published tables before somebody who solves them: no suppressed count can be located.
//!
//! Not here: where a table comes from. The attackers are written apart from the code under test: one does linear
//! algebra over a prime field, one narrows intervals until nothing moves, one subtracts two reports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use puente_core::statistics::{Protected, RANGE, StatisticsError, THRESHOLD, protect};
use serde_json::{Value, json};

const AREAS: [&str; 6] = ["Atlántida", "Colón", "Cortés", "Gracias a Dios", "Olancho", "Yoro"];
const GROUPS: [(&str, &str); 6] =
    [("F", "0-17"), ("M", "0-17"), ("F", "18-59"), ("M", "18-59"), ("F", "60+"), ("M", "60+")];

/// A table with all its totals, for a quarter or for the half-year that holds it.
fn table(counts: &[Vec<u64>], to: &str) -> Value {
    let mut cells = Vec::new();
    let mut cell = |area: &str, (sex, age): (&str, &str), count: u64| {
        cells.push(json!({"area": area, "sex": sex, "age": age, "count": count}));
    };
    let total = ("all", "all");
    for (row, area) in counts.iter().zip(AREAS) {
        for (count, group) in row.iter().zip(GROUPS) {
            cell(area, group, *count);
        }
        if row.len() > 1 {
            cell(area, total, row.iter().sum());
        }
    }
    for (column, group) in GROUPS.iter().enumerate().take(counts[0].len()) {
        cell("all", *group, counts.iter().map(|row| row[column]).sum());
    }
    if counts[0].len() > 1 {
        cell("all", total, counts.iter().flatten().sum());
    }
    json!({"indicator": "returns", "from": "2026-01-01", "to": to, "published": true, "cells": cells})
}

const QUARTER: &str = "2026-03-31";
const HALF: &str = "2026-06-30";

/// The published counts as a grid with totals last: `None` where suppressed.
fn grid(section: &Value, rows: usize, columns: usize) -> Vec<Vec<Option<i64>>> {
    let find = |area: &str, (sex, age): (&str, &str)| {
        let cells = section["cells"].as_array().unwrap();
        let cell = cells.iter().find(|c| c["area"] == area && c["sex"] == sex && c["age"] == age).unwrap();
        assert_eq!(cell.get("count").is_none(), cell.get("suppressed").is_some());
        cell.get("count").map(|count| count.as_i64().unwrap())
    };
    let areas = AREAS.iter().copied().take(rows).chain(["all"]);
    areas
        .map(|area| {
            GROUPS.iter().copied().take(columns).chain([("all", "all")]).map(|g| find(area, g)).collect()
        })
        .collect()
}

/// Every equation of a grid: the cells of a line, of which the last is the sum of the others.
fn lines(rows: usize, columns: usize) -> Vec<Vec<(usize, usize)>> {
    let across = (0..=rows).map(|row| (0..=columns).map(|column| (row, column)).collect());
    let down = (0..=columns).map(|column| (0..=rows).map(|row| (row, column)).collect());
    across.chain(down).collect()
}

const PRIME: i64 = 1_000_003;

fn inverse(of: i64) -> i64 {
    let (mut result, mut base, mut power) = (1, of.rem_euclid(PRIME), PRIME - 2);
    while power > 0 {
        if power % 2 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        power /= 2;
    }
    result
}

/// The suppressed cells that the equations determine: those whose unit vector lies in their row space.
fn determined(grid: &[Vec<Option<i64>>]) -> Vec<(usize, usize)> {
    let (rows, columns) = (grid.len() - 1, grid[0].len() - 1);
    let unknown: Vec<(usize, usize)> = (0..=rows)
        .flat_map(|row| (0..=columns).map(move |column| (row, column)))
        .filter(|(row, column)| grid[*row][*column].is_none())
        .collect();
    let mut matrix: Vec<Vec<i64>> = lines(rows, columns)
        .iter()
        .map(|line| {
            let last = *line.last().unwrap();
            let sign = |cell: &(usize, usize)| if *cell == last { PRIME - 1 } else { 1 };
            unknown.iter().map(|cell| if line.contains(cell) { sign(cell) } else { 0 }).collect()
        })
        .collect();
    let mut pivot = 0;
    for column in 0..unknown.len() {
        let Some(found) = (pivot..matrix.len()).find(|row| matrix[*row][column] != 0) else { continue };
        matrix.swap(pivot, found);
        let scale = inverse(matrix[pivot][column]);
        let normal: Vec<i64> = matrix[pivot].iter().map(|value| value * scale % PRIME).collect();
        for (row, values) in matrix.iter_mut().enumerate() {
            let factor = if row == pivot { 0 } else { values[column] };
            for (value, known) in values.iter_mut().zip(&normal) {
                *value = (*value - factor * known % PRIME).rem_euclid(PRIME);
            }
        }
        matrix[pivot] = normal;
        pivot += 1;
    }
    let alone = matrix.iter().filter_map(|row| {
        let mut present = row.iter().enumerate().filter(|(_, value)| **value != 0);
        present.next().filter(|_| present.next().is_none()).map(|(at, _)| unknown[at])
    });
    alone.collect()
}

/// Far above any count: the attacker knows no upper bound.
const FAR: i64 = 1 << 40;

/// What each cell may be, by narrowing every line until nothing moves.
fn intervals(grid: &[Vec<Option<i64>>], floor: &dyn Fn(usize, usize) -> i64) -> Vec<Vec<(i64, i64)>> {
    let mut known: Vec<Vec<(i64, i64)>> = grid
        .iter()
        .enumerate()
        .map(|(r, row)| {
            row.iter()
                .enumerate()
                .map(|(c, cell)| cell.map_or((floor(r, c), FAR), |count| (count, count)))
                .collect()
        })
        .collect();
    let lines = lines(grid.len() - 1, grid[0].len() - 1);
    for _ in 0..64 {
        for line in &lines {
            let (total, parts) = line.split_last().unwrap();
            let sum =
                |pick: fn((i64, i64)) -> i64, without: Option<(usize, usize)>, known: &[Vec<(i64, i64)>]| {
                    let parts = parts.iter().filter(|part| Some(**part) != without);
                    parts.map(|(r, c)| pick(known[*r][*c])).sum::<i64>().min(FAR)
                };
            let (low, high) = (sum(|b| b.0, None, &known), sum(|b| b.1, None, &known));
            let bounds = &mut known[total.0][total.1];
            *bounds = (bounds.0.max(low), bounds.1.min(high));
            let bounds = *bounds;
            for part in parts {
                let (low, high) = (sum(|b| b.0, Some(*part), &known), sum(|b| b.1, Some(*part), &known));
                let own = &mut known[part.0][part.1];
                own.0 = own.0.max(if high >= FAR { 0 } else { bounds.0 - high });
                own.1 = own.1.min(if bounds.1 >= FAR { FAR } else { bounds.1 - low });
            }
        }
    }
    known
}

fn assert_hidden(grid: &[Vec<Option<i64>>], floor: &dyn Fn(usize, usize) -> i64) {
    assert_eq!(determined(grid), [], "{grid:?}");
    let intervals = intervals(grid, floor);
    for (row, values) in grid.iter().enumerate() {
        for (column, _) in values.iter().enumerate().filter(|(_, value)| value.is_none()) {
            let (low, high) = intervals[row][column];
            assert!(
                high - low >= i64::try_from(RANGE).unwrap(),
                "{row},{column} in {low}..={high}: {grid:?}"
            );
        }
    }
}

fn protected(counts: &[Vec<u64>]) -> Protected {
    protect(&table(counts, QUARTER), &[]).unwrap()
}

#[test]
fn a_small_count_takes_another_of_its_row_and_of_its_column_with_it() {
    let counts = vec![vec![3, 40, 50], vec![60, 70, 80], vec![90, 100, 110]];
    let protected = protected(&counts);
    let shown = grid(&protected.section, 3, 3);
    assert_eq!((protected.smallest, protected.suppressed), (3, 4));
    assert_eq!(shown[0][0], None);
    assert_eq!(shown[0].iter().filter(|cell| cell.is_none()).count(), 2);
    assert_eq!(shown.iter().filter(|row| row[0].is_none()).count(), 2);
    assert_hidden(&shown, &|_, _| 0);
}

#[test]
fn a_table_without_small_counts_is_published_as_it_is() {
    let section = table(&[vec![5, 6], vec![7, 8]], QUARTER);
    let protected = protect(&section, &[]).unwrap();
    assert_eq!((protected.section, protected.suppressed, protected.smallest), (section, 0, 5));
}

#[test]
fn two_small_counts_of_one_row_do_not_hide_each_other_when_their_sum_is_small() {
    let protected = protected(&[vec![1, 2, 200], vec![300, 400, 500]]);
    assert_hidden(&grid(&protected.section, 2, 3), &|_, _| 0);
}

#[test]
fn a_zero_is_a_small_count() {
    assert!(protected(&[vec![0, 40], vec![50, 60]]).suppressed >= 4);
}

#[test]
fn a_single_area_hides_its_total_when_nothing_else_can_hide_it() {
    let section = table(&[vec![2]], QUARTER);
    let protected = protect(&section, &[]).unwrap();
    assert!(protected.section["cells"].as_array().unwrap().iter().all(|cell| cell.get("count").is_none()));
}

#[test]
fn what_is_not_whole_does_not_add_up_or_counts_somebody_twice_is_refused() {
    let whole = table(&[vec![10, 20], vec![30, 40]], QUARTER);
    let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut section = whole.clone();
        edit(section["cells"].as_array_mut().unwrap());
        protect(&section, &[]).unwrap_err()
    };
    assert_eq!(edited(&|cells| drop(cells.remove(0))), StatisticsError::NotWhole);
    assert_eq!(edited(&|cells| cells[2]["count"] = json!(31)), StatisticsError::Sum);
    assert_eq!(edited(&|cells| cells[1] = cells[0].clone()), StatisticsError::Overlap);
    assert_eq!(
        edited(&|cells| cells.push(json!({"area": "Colón", "sex": "F", "age": "0-5", "count": 7}))),
        StatisticsError::Overlap
    );
    assert_eq!(
        edited(
            &|cells| cells[0] = json!({"area": "Atlántida", "sex": "F", "age": "0-17", "suppressed": true})
        ),
        StatisticsError::NotWhole
    );
    assert_eq!(protect(&json!({"rows": [{"name": "x"}]}), &[]).unwrap_err(), StatisticsError::Form);
}

#[test]
fn a_restated_report_hides_the_counts_that_moved_by_a_few() {
    let first = protected(&[vec![100, 200], vec![300, 400]]);
    let again = table(&[vec![102, 200], vec![300, 400]], QUARTER);
    let second = protect(&again, &[first.section]).unwrap();
    let shown = grid(&second.section, 2, 2);
    assert_eq!(shown[0][0], None);
    assert_hidden(&shown, &|_, _| 0);
}

#[test]
fn the_same_report_sent_again_shows_the_same() {
    let counts = [vec![3, 40, 50], vec![60, 70, 80], vec![90, 100, 110]];
    let first = protected(&counts);
    let again = protect(&table(&counts, QUARTER), std::slice::from_ref(&first.section)).unwrap();
    assert_eq!(again.section, first.section);
}

#[test]
fn a_longer_period_does_not_tell_how_few_came_in_the_days_it_adds() {
    let first = protected(&[vec![100, 200], vec![300, 400]]);
    let longer = table(&[vec![103, 260], vec![390, 480]], HALF);
    let second = protect(&longer, &[first.section]).unwrap();
    let shown = grid(&second.section, 2, 2);
    assert_eq!(shown[0][0], None);
    let before = [[100, 200, 300], [300, 400, 700], [400, 600, 1000]];
    assert_hidden(&shown, &|row, column| before[row][column]);
}

#[test]
fn a_shorter_period_that_an_earlier_report_bounds_too_closely_is_refused() {
    let first = protect(&table(&[vec![6, 200], vec![300, 400]], HALF), &[]).unwrap();
    let shorter = table(&[vec![4, 150], vec![250, 350]], QUARTER);
    assert_eq!(protect(&shorter, &[first.section]).unwrap_err(), StatisticsError::Difference);
}

fn counts() -> impl Strategy<Value = Vec<Vec<u64>>> {
    (1_usize..=5, 2_usize..=5).prop_flat_map(|(rows, columns)| {
        let count = prop_oneof![3 => 0_u64..12, 2 => 5_u64..400];
        proptest::collection::vec(proptest::collection::vec(count, columns), rows)
    })
}

/// A quarter, and the half-year that adds a few people to each of its cells.
fn two_periods() -> impl Strategy<Value = (Vec<Vec<u64>>, Vec<Vec<u64>>)> {
    counts().prop_flat_map(|first| {
        let later: Vec<Vec<_>> =
            first.iter().map(|row| row.iter().map(|count| *count..*count + 9).collect()).collect();
        (Just(first), later)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_who_solves_a_table_locates_a_suppressed_count(counts in counts()) {
        let protected = protected(&counts);
        let shown = grid(&protected.section, counts.len(), counts[0].len());
        for count in shown.iter().flatten().flatten() {
            prop_assert!(*count >= i64::try_from(THRESHOLD).unwrap());
        }
        assert_hidden(&shown, &|_, _| 0);
    }

    #[test]
    fn nobody_who_subtracts_an_earlier_report_locates_a_small_difference(
        (first, second) in two_periods(),
    ) {
        let (rows, columns) = (first.len(), first[0].len());
        let earlier = protected(&first);
        let later = protect(&table(&second, HALF), std::slice::from_ref(&earlier.section)).unwrap();
        let (before, after) = (grid(&earlier.section, rows, columns), grid(&later.section, rows, columns));
        let difference: Vec<Vec<Option<i64>>> = before
            .iter()
            .zip(&after)
            .map(|(b, a)| b.iter().zip(a).map(|(b, a)| Some((*a)? - (*b)?)).collect())
            .collect();
        for added in difference.iter().flatten().flatten() {
            prop_assert!(*added >= i64::try_from(THRESHOLD).unwrap());
        }
        assert_hidden(&after, &|row, column| before[row][column].unwrap_or(0));
    }

    #[test]
    fn any_section_is_protected_or_refused(section in proptest::collection::vec(
        (0_usize..3, 0_usize..4, proptest::option::of(0_u64..20)), 0..14
    )) {
        let cells: Vec<Value> = section
            .into_iter()
            .map(|(area, group, count)| {
                let area = ["Colón", "Yoro", "all"][area];
                let (sex, age) = [("F", "0-17"), ("M", "18+"), ("all", "all"), ("F", "all")][group];
                match count {
                    Some(count) => json!({"area": area, "sex": sex, "age": age, "count": count}),
                    None => json!({"area": area, "sex": sex, "age": age, "suppressed": true}),
                }
            })
            .collect();
        let section = json!({"indicator": "x", "from": "2026-01-01", "to": QUARTER, "published": true, "cells": cells});
        let _ = protect(&section, std::slice::from_ref(&section));
    }
}
