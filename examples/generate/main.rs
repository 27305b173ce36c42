//! x
fn main() {
    for c in dws_operator::api::crds() {
        println!("---\n{}", serde_yaml_ng::to_string(&c).unwrap());
    }
}
