//! What the head of a Linux program says: for which processor it is, and that it needs nothing beside
//! itself. An image from scratch has no dynamic linker: a program that asks for one would not start there.

const PT_INTERP: usize = 3;

/// The processor, by the name that images use; an error says why this program cannot stand alone.
pub fn architecture(program: &[u8]) -> Result<&'static str, String> {
    if !program.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]) {
        return Err("it is no 64-bit little-endian ELF program: build it for Linux".to_owned());
    }
    let architecture = match number(program, 18, 2) {
        Some(62) => "amd64",
        Some(183) => "arm64",
        other => return Err(format!("no image is made for ELF machine {other:?}")),
    };
    let cut = || "its ELF header is cut short".to_owned();
    let table = number(program, 32, 8).ok_or_else(cut)?;
    let size = number(program, 54, 2).ok_or_else(cut)?;
    let count = number(program, 56, 2).ok_or_else(cut)?;
    for index in 0..count {
        let kind = number(program, table + index * size, 4).ok_or_else(cut)?;
        if kind == PT_INTERP {
            return Err(
                "it asks for a dynamic linker, which an image from scratch has not: \
                link it with `-C target-feature=+crt-static`"
                    .to_owned(),
            );
        }
    }
    Ok(architecture)
}

/// The little-endian number of `size` bytes at `offset`.
fn number(bytes: &[u8], offset: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(offset..offset.checked_add(size)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    )
}
