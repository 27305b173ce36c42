//! Tables of settings: what each becomes, and what each wrong one says.
