//! Which crate may depend on which: the table of `docs/architecture.md` against `cargo metadata`.

use crate::workspace::{Package, Workspace};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/architecture.md";

/// In place of a list: a crate that may use all others, and that none may use.
const ANY: &str = "any";

/// Crates with the crates of this workspace that they depend on.
type Directions = BTreeMap<String, BTreeSet<String>>;

/// Fails unless the table and the workspace agree.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let page = workspace.root.join(PAGE);
    let text = std::fs::read_to_string(&page)
        .with_context(|| format!("cannot read {}", page.display()))?;
    let written = table(&text)?;
    let real = directions(&workspace.packages);
    let wrong = differences(&written, &real);
    if !wrong.is_empty() {
        bail!("the table of crates in {PAGE} and the workspace differ:\n{}", wrong.join("\n"));
    }
    println!("{} crates depend on each other as {PAGE} says", real.len());
    Ok(())
}

/// Dependencies of tests alone are left out: a test may use what comes later in the chain.
fn directions(packages: &[Package]) -> Directions {
    let names: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let of = |package: &Package| {
        let inside = package.dependencies.iter().filter(|d| {
            d.kind.as_deref() != Some("dev") && d.path.is_some() && names.contains(d.name.as_str())
        });
        inside.map(|d| d.name.clone()).collect()
    };
    packages.iter().map(|package| (package.name.clone(), of(package))).collect()
}

/// Reads the Markdown table with the columns `crate`, anything, `depends on`.
fn table(text: &str) -> Result<Directions> {
    let rows = text.lines().map(cells);
    let mut rows = rows.skip_while(|cells| cells.first().is_none_or(|first| first != "crate"));
    let head = rows.next().with_context(|| format!("{PAGE} has no table with a column `crate`"))?;
    let depends = head.iter().position(|cell| cell == "depends on");
    let depends =
        depends.with_context(|| format!("the table in {PAGE} has no column `depends on`"))?;
    let mut found = Directions::new();
    for row in rows.skip(1).take_while(|cells| !cells.is_empty()) {
        let name = row.first().map(|cell| cell.trim_matches('`').to_string()).unwrap_or_default();
        let list = row.get(depends).map_or("", String::as_str);
        let list = list.split(',').map(|word| word.trim().trim_matches('`'));
        let list = list.filter(|word| !word.is_empty()).map(String::from).collect();
        if found.insert(name.clone(), list).is_some() {
            bail!("the table in {PAGE} has two rows for `{name}`");
        }
    }
    Ok(found)
}

/// The cells of a row; none when the line is not one.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|').and_then(|l| l.strip_suffix('|'));
    inner.map_or_else(Vec::new, |l| l.split('|').map(|cell| cell.trim().to_string()).collect())
}

fn differences(written: &Directions, real: &Directions) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, dependencies) in real {
        let list = dependencies.iter().cloned().collect::<Vec<_>>().join(", ");
        match written.get(name) {
            None => wrong.push(format!("  `{name}` has no row; it depends on: {list}")),
            Some(row) if row.contains(ANY) => {
                let users = real.iter().filter(|(_, used)| used.contains(name));
                wrong.extend(users.map(|(user, _)| format!("  `{user}` may not use `{name}`")));
            }
            Some(row) if row != dependencies => {
                let row = row.iter().cloned().collect::<Vec<_>>().join(", ");
                wrong.push(format!("  `{name}` depends on: {list}; its row says: {row}"));
            }
            Some(_) => {}
        }
    }
    let gone = written.keys().filter(|name| !real.contains_key(*name));
    wrong.extend(gone.map(|name| format!("  `{name}` has a row and is no crate")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "text\n\n| crate | what | depends on |\n|---|---|---|\n\
        | `tensor` | numbers | |\n| `graph` | nodes | tensor |\n\nmore | text\n";

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_the_table() {
        let table = table(TEXT).unwrap();
        assert_eq!(table.len(), 2);
        assert_eq!(table["tensor"], set(&[]));
        assert_eq!(table["graph"], set(&["tensor"]));
        assert!(super::table("no table").is_err());
    }

    #[test]
    fn names_each_difference() {
        let written = table(TEXT).unwrap();
        let mut real = written.clone();
        assert!(differences(&written, &real).is_empty());
        real.insert("tensor".into(), set(&["graph"]));
        real.insert("golden".into(), set(&["graph", "tensor"]));
        real.remove("graph");
        let wrong = differences(&written, &real).join("\n");
        assert!(wrong.contains("`golden` has no row; it depends on: graph, tensor"), "{wrong}");
        assert!(wrong.contains("`tensor` depends on: graph; its row says: "), "{wrong}");
        assert!(wrong.contains("`graph` has a row and is no crate"), "{wrong}");
    }

    #[test]
    fn a_crate_that_may_use_any_is_used_by_none() {
        let row = "| `graph` | nodes | tensor |";
        let written =
            table(&TEXT.replace(row, &format!("{row}\n| `tests` | all | any |"))).unwrap();
        let mut real = table(TEXT).unwrap();
        real.insert("tests".into(), set(&["graph", "tensor"]));
        assert!(differences(&written, &real).is_empty());
        real.insert("graph".into(), set(&["tensor", "tests"]));
        let wrong = differences(&written, &real).join("\n");
        assert!(wrong.contains("`graph` may not use `tests`"), "{wrong}");
    }
}
