//! Rust source as a list of words and the paths that it names, just well enough to tell who
//! imports whom: comments, strings and what only tests compile are left out, `use` trees are
//! written out, `crate`, `self` and `super` are resolved.
//!
//! It knows nothing of our layers.

/// An identifier, `::`, or one other character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    pub line: usize,
}

/// A path as its segments from the crate's root (`["crate", "api", "DwsCluster"]`) or as written
/// (`["kube", "Client"]`).
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
}

/// All words of the source but those in comments, literals and items marked `#[cfg(test)]`.
pub fn words(source: &str) -> Vec<Word<'_>> {
    without_tests(&all_words(source))
}

fn all_words(source: &str) -> Vec<Word<'_>> {
    let bytes = source.as_bytes();
    let (mut words, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let rest = &source[at..];
        let length = if bytes[at].is_ascii_whitespace() {
            1
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else if rest.starts_with("::") {
            words.push(Word { text: "::", line });
            2
        } else {
            let length = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
                .max(rest.chars().next().map_or(1, char::len_utf8));
            let text = &rest[..length];
            words.push(Word { text, line });
            length
        };
        line += rest[..length].matches('\n').count();
        at += length;
    }
    words
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of the string or character literal that begins here. A quote that begins a lifetime
/// is none.
fn literal(rest: &str) -> Option<usize> {
    let prefix = rest
        .find(|c: char| !matches!(c, 'b' | 'c' | 'r'))
        .unwrap_or(0);
    let body = &rest[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if rest[..prefix].contains('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let open = prefix + hashes + 1;
        return Some(
            rest[open..]
                .find(&end)
                .map_or(rest.len(), |close| open + close + end.len()),
        );
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut characters = body.char_indices().skip(1);
    if quote == '\'' && prefix == 0 {
        let (_, first) = characters.clone().next()?;
        let (_, second) = characters.clone().nth(1)?;
        if first != '\\' && second != '\'' {
            return None;
        }
    }
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return Some(prefix + at + 1);
        }
    }
    Some(rest.len())
}

fn without_tests<'a>(words: &[Word<'a>]) -> Vec<Word<'a>> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let marked = MARK
            .iter()
            .enumerate()
            .all(|(n, mark)| words.get(at + n).is_some_and(|word| word.text == *mark));
        if marked {
            at = end_of_item(words, at + MARK.len());
        } else {
            kept.push(words[at]);
            at += 1;
        }
    }
    kept
}

/// Past the `;` or the closing brace of the item that begins here.
fn end_of_item(words: &[Word<'_>], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(start) {
        match word.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(word.text, ";" | "}") {
            return at + 1;
        }
    }
    words.len()
}

/// Every path of two segments or more, in `use` trees and in code. `module` is the file's own place
/// (`["core", "plan"]`), from which `self` and `super` count.
pub fn paths(words: &[Word<'_>], module: &[String]) -> Vec<Path> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let begins = is_name(words[at].text)
            && (at == 0 || words[at - 1].text != "::")
            && words.get(at + 1).is_some_and(|next| next.text == "::");
        if begins {
            at = tree(words, at, &[], module, &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// One path or use tree; returns where it ends.
fn tree(
    words: &[Word<'_>],
    start: usize,
    prefix: &[String],
    module: &[String],
    found: &mut Vec<Path>,
) -> usize {
    let mut segments = prefix.to_vec();
    let mut at = start;
    while let Some(word) = words.get(at) {
        if is_name(word.text) || word.text == "*" {
            segments.push(word.text.to_owned());
            at += 1;
        } else if word.text == "{" {
            at += 1;
            while let Some(inner) = words.get(at) {
                match inner.text {
                    "}" => return at + 1,
                    "," => at += 1,
                    text if is_name(text) || text == "{" || text == "*" => {
                        at = tree(words, at, &segments, module, found);
                        // `as name`
                        while words.get(at).is_some_and(|word| is_name(word.text)) {
                            at += 1;
                        }
                    }
                    // Not a use tree after all, such as `Enum::<T> {`.
                    _ => return at,
                }
            }
            return at;
        }
        if words.get(at).is_some_and(|word| word.text == "::") {
            at += 1;
        } else {
            break;
        }
    }
    let line = words[start].line;
    found.push(Path {
        segments: resolved(segments, module),
        line,
    });
    at.max(start + 1)
}

fn resolved(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = segments.as_slice();
    match rest.first().map(String::as_str) {
        Some("dws_operator") => return [&["crate".to_owned()], &rest[1..]].concat(),
        Some("self") => rest = &rest[1..],
        Some("super") => {}
        _ => return segments,
    }
    while rest.first().is_some_and(|segment| segment == "super") {
        base.pop();
        rest = &rest[1..];
    }
    [&["crate".to_owned()], base.as_slice(), rest].concat()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
