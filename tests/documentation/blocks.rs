//! A page as its shell reads it: the commands of its blocks, each under its heading.
//!
//! It knows Markdown's fences and headings and how a shell continues a line, and runs nothing.

use anyhow::ensure;

use crate::support::Result;

/// What a block can be: `sh` is run, the others are data.
const LANGUAGES: [&str; 5] = ["sh", "yaml", "json", "text", "rust"];

/// A heading of the second or third level with the commands below it, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    pub heading: String,
    pub commands: Vec<String>,
}

/// The sections of a page that have commands. Blocks are `sh`, to be run, or of a language that is data: one
/// without a language would be neither.
///
/// # Errors
/// A block is of another language, or a command has no end.
pub fn sections(page: &str) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut heading = String::new();
    let mut language: Option<&str> = None;
    let mut block = String::new();
    let mut indent = 0;
    for line in page.lines() {
        // A block within a list is as far in as its fence.
        let begin = line.len() - line.trim_start().len();
        let line = match language {
            None if line[begin..].starts_with("```") => {
                indent = begin;
                &line[begin..]
            }
            None => line,
            Some(_) => &line[begin.min(indent)..],
        };
        match (language, line.strip_prefix("```")) {
            (None, Some(opened)) => {
                ensure!(
                    LANGUAGES.contains(&opened),
                    "a block of language {opened:?} below {heading:?}"
                );
                language = Some(opened);
                block.clear();
            }
            (Some(opened), Some("")) => {
                if opened == "sh" {
                    let found = commands(&block)?;
                    match sections.last_mut() {
                        Some(last) if last.heading == heading => last.commands.extend(found),
                        _ => sections.push(Section {
                            heading: heading.clone(),
                            commands: found,
                        }),
                    }
                }
                language = None;
            }
            (Some(_), _) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {
                let title = line
                    .strip_prefix("## ")
                    .or_else(|| line.strip_prefix("### "));
                if let Some(title) = title {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    ensure!(language.is_none(), "a block has no end");
    Ok(sections)
}

/// The commands of a block: a line, with those that a `\` or a here-document adds.
fn commands(block: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut lines = block.lines();
    while let Some(first) = lines.next() {
        let mut command = first.to_owned();
        let mut last = first;
        while last.ends_with('\\') {
            last = lines.next().unwrap_or_default();
            command = format!("{command}\n{last}");
        }
        if let Some((_, end)) = first.split_once("<<'") {
            let end = end.trim_end_matches('\'');
            loop {
                let Some(line) = lines.next() else {
                    anyhow::bail!("{first}: no {end}");
                };
                command = format!("{command}\n{line}");
                if line == end {
                    break;
                }
            }
        }
        if !command.trim().is_empty() {
            found.push(command);
        }
    }
    Ok(found)
}

#[test]
fn a_page_is_cut_into_commands() -> Result<()> {
    let page = "# Page\n\n## One\n\n```sh\na \\\n  b\nc <<'X'\nd\n\nX\ne\n```\ntext\n```yaml\nf: g\n```\n### Two\n```sh\nh\n```\n";
    let [one, two] = &sections(page)?[..] else {
        panic!("{:?}", sections(page));
    };
    assert_eq!(
        (one.heading.as_str(), &one.commands[..]),
        (
            "One",
            &[
                "a \\\n  b".to_owned(),
                "c <<'X'\nd\n\nX".to_owned(),
                "e".to_owned()
            ][..]
        )
    );
    assert_eq!(
        (two.heading.as_str(), &two.commands[..]),
        ("Two", &["h".to_owned()][..])
    );
    let listed = sections("1. One\n\n   ```sh\n   a \\\n     b\n   ```\n")?;
    assert_eq!(listed[0].commands, ["a \\\n  b"]);
    assert!(sections("```\na\n```\n").is_err());
    assert!(sections("- a\n\n  ```\n  a\n  ```\n").is_err());
    assert!(sections("```sh\na <<'X'\n```\n").is_err());
    Ok(())
}
