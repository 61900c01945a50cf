//! The acceptance table `tests/acceptance.md`: every row of the acceptance list stands in it, and what a row names is there.

use crate::house::top;
use std::{collections::BTreeMap, fs, path::PathBuf};

const TABLE: &str = include_str!("../acceptance.md");

/// The parts of the acceptance list, one for each document, with the number of their last row.
const PARTS: [(char, u32); 4] = [('A', 88), ('B', 53), ('C', 62), ('D', 111)];

/// The lines of the table: a row, what it asks for, and what proves it.
fn entries(table: &str) -> impl Iterator<Item = [&str; 3]> {
    let lines = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row |"));
    lines.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        <[&str; 3]>::try_from(cells)
            .unwrap_or_else(|_| panic!("{line}\nhas not the cells row, what, proven by"))
    })
}

/// What is wrong with the rows of a table: every one has to be there, and once.
fn wrong_rows(table: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (part, last) in PARTS {
        times.extend((1..=last).map(|number| (format!("{part}{number:03}"), 0)));
    }
    for [row, ..] in entries(table) {
        match times.get_mut(row) {
            Some(times) => *times += 1,
            None => wrong.push(format!("{row}: the acceptance list has no such row")),
        }
    }
    for (row, times) in times.into_iter().filter(|(_, times)| *times != 1) {
        wrong.push(format!("{row}: stands there {times} times; it needs one entry"));
    }
    wrong
}

/// Whether what an entry names is there; if not, what is wrong with it.
fn look([_, what, proof]: [&str; 3]) -> Result<(), String> {
    match (what, proof.split_once(": ")) {
        ("", _) => Err("says nothing; write in a few words what it asks for".to_owned()),
        (_, Some(("test", tests))) => tests.split(", ").try_for_each(test_is_there),
        (_, Some(("help", help))) => help_says(help),
        (_, Some(("host" | "elsewhere" | "missing", _))) => Ok(()),
        _ => Err(format!("{proof:?} is no proof; begin with test, help, host, elsewhere or missing")),
    }
}

/// Whether the help of a connector has a phrase, which is named as in `qlik-cloud "Trusted"`.
fn help_says(named: &str) -> Result<(), String> {
    let parts = named.split_once(' ').and_then(|(connector, phrase)| {
        let phrase = phrase.strip_prefix('"')?.strip_suffix('"')?;
        (!phrase.is_empty()).then_some((connector, phrase))
    });
    let (connector, phrase) =
        parts.ok_or_else(|| format!("{named:?} has to be a connector and a quoted phrase of its help"))?;
    let file = format!("tests/it/snapshots/it__contract__{}.snap", connector.replace('-', "_"));
    let shown = fs::read_to_string(top().join(&file)).map_err(|error| format!("{file}: {error}"))?;
    let missing = || format!("{file} does not say {phrase:?}; say it in the help, or name what it says");
    shown.contains(phrase).then_some(()).ok_or_else(missing)
}

/// Whether a test is there: `package module::test` in a library, `package target module::test` in a test target.
fn test_is_there(named: &str) -> Result<(), String> {
    let words: Vec<&str> = named.split(' ').collect();
    let (package, roots, path) = match words[..] {
        [package, path] => (package, vec!["src/lib.rs".to_owned()], path),
        [package, target, path] => {
            let root = |below: &str| [format!("{below}{target}.rs"), format!("{below}{target}/main.rs")];
            (package, ["", "tests/"].map(root).concat(), path)
        }
        _ => return Err(format!("{named:?} has to be a package, maybe a target, and the path of a test")),
    };
    let folder = folder_of(package)?;
    let root = roots.iter().map(|root| folder.join(root)).find(|root| root.exists());
    let root = root.ok_or_else(|| format!("{package} has none of {roots:?}; correct the test target"))?;
    let (modules, test) = path.rsplit_once("::").unwrap_or(("", path));
    let mut module = Module::of(root, None)?;
    for name in modules.split("::").filter(|name| !name.is_empty()) {
        module = module.inner(name)?;
    }
    module.has_test(test)
}

/// The folder of a package of the workspace.
fn folder_of(package: &str) -> Result<PathBuf, String> {
    let workspace = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    let (_, members) = workspace.split_once("members = [").unwrap();
    let members = members.split(']').next().unwrap().split('"').skip(1).step_by(2);
    let mut folders = members.flat_map(|member| match member.strip_suffix("/*") {
        Some(all) => {
            fs::read_dir(top().join(all)).unwrap().map(|one| one.unwrap().path()).collect::<Vec<_>>()
        }
        None => vec![top().join(member)],
    });
    let manifest = format!("[package]\nname = \"{package}\"\n");
    let is_it = |folder: &PathBuf| {
        fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.starts_with(&manifest))
    };
    folders.find(is_it).ok_or_else(|| format!("there is no package {package:?}; correct its name"))
}

/// A module: in a file of its own, or between braces in that of another.
struct Module {
    file: PathBuf,
    /// Where the files of the modules in it are.
    folder: PathBuf,
    text: String,
    /// How far its lines are indented.
    indent: String,
}

impl Module {
    /// The module in a file; those in it have their files beside it, if nowhere else.
    fn of(file: PathBuf, folder: Option<PathBuf>) -> Result<Module, String> {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let folder = folder.unwrap_or_else(|| file.parent().unwrap().to_owned());
        Ok(Module { file, folder, text, indent: String::new() })
    }

    /// The module of this name in this one.
    fn inner(&self, name: &str) -> Result<Module, String> {
        let lines: Vec<&str> = self.text.lines().collect();
        let declared = |end: &str| {
            let wanted = format!("mod {name}{end}");
            let wanted = Some(wanted.as_str());
            let is_it = |line: &str| {
                ["", "pub ", "pub(crate) "].iter().any(|public| line.strip_prefix(public) == wanted)
            };
            lines.iter().position(|line| line.strip_prefix(&self.indent).is_some_and(is_it))
        };
        let folder = self.folder.join(name);
        if let Some(at) = declared(" {") {
            let end = format!("{}}}", self.indent);
            let text: Vec<&str> = lines[at + 1..].iter().copied().take_while(|line| *line != end).collect();
            let indent = format!("{}    ", self.indent);
            return Ok(Module { file: self.file.clone(), folder, text: text.join("\n"), indent });
        }
        let Some(at) = declared(";") else {
            return Err(format!("{} has no module {name}; correct the path", self.file.display()));
        };
        let path =
            lines[..at].last().and_then(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"));
        if let Some(path) = path {
            return Module::of(self.file.parent().unwrap().join(path), None);
        }
        let file = self.folder.join(format!("{name}.rs"));
        Module::of(if file.exists() { file } else { folder.join("mod.rs") }, Some(folder))
    }

    fn has_test(&self, name: &str) -> Result<(), String> {
        let lines: Vec<&str> = self.text.lines().filter_map(|line| line.strip_prefix(&self.indent)).collect();
        let words = ["", "async "].map(|word| format!("{word}fn {name}("));
        let at = lines.iter().position(|line| words.iter().any(|words| line.starts_with(words)));
        let mut attributes = lines[..at.unwrap_or(0)].iter().rev().take_while(|line| line.starts_with("#["));
        let is_test = attributes.any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"));
        let missing = || format!("{} has no test {name}; name one that proves the row", self.file.display());
        is_test.then_some(()).ok_or_else(missing)
    }
}

#[test]
fn every_row_is_there_and_so_is_what_it_names() {
    let mut wrong = wrong_rows(TABLE);
    wrong.extend(entries(TABLE).filter_map(|entry| Some(format!("{}: {}", entry[0], look(entry).err()?))));
    assert!(wrong.is_empty(), "tests/acceptance.md:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_with_the_rows_is_told() {
    let renamed = TABLE.replace("\n| A009 |", "\n| A089 |");
    let told =
        ["A089: the acceptance list has no such row", "A009: stands there 0 times; it needs one entry"];
    assert_eq!(wrong_rows(&renamed), told);
    let twice = format!("{TABLE}\n| D111 | again | elsewhere: twice |\n");
    assert_eq!(wrong_rows(&twice), ["D111: stands there 2 times; it needs one entry"]);
}

#[test]
fn what_is_wrong_with_an_entry_is_told() {
    for (proof, expected) in [
        ("", "is no proof"),
        ("missing:", "is no proof"),
        ("test: connections::a_taken_name_asks_for_another", "has to be a package"),
        ("test: jackfield-nowhere tests::a", "no package \"jackfield-nowhere\""),
        ("test: jackfield-tests elsewhere cli::a", "correct the test target"),
        ("test: jackfield-tests it nowhere::a", "has no module nowhere"),
        ("test: jackfield-tests it connections::names", "has no test names"),
        ("test: jackfield-qlik-onprem settings::the_form_is_asked_for_in_the_documents_order", "has no test"),
        ("help: qlik-cloud Trusted", "a connector and a quoted phrase"),
        ("help: qlik-cloud \"\"", "a connector and a quoted phrase"),
        ("help: qlik-cloud \"never said\"", "does not say \"never said\""),
        ("help: nobody \"Trusted\"", "it__contract__nobody.snap: "),
    ] {
        let told = look(["A001", "a row", proof]).unwrap_err();
        assert!(told.contains(expected), "{proof}: {told}");
    }
    assert!(look(["A001", "", "elsewhere: here"]).unwrap_err().contains("says nothing"));
}
