fn main() {
    let args: Vec<String> = std::env::args().collect();
    let replaced = codegen::import::replaced(std::path::Path::new(&args[3])).unwrap();
    match codegen::import::import(std::path::Path::new(&args[1]), Some(&args[2]), replaced.as_ref()) {
        Ok(i) => {
            print!("{}", i.report);
            std::fs::write(&args[3], i.yaml().unwrap()).unwrap();
        }
        Err(e) => {
            eprintln!("error: {e}");
            std::process::exit(1)
        }
    }
}
