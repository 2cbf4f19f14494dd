//! Scratch.
fn main() {
    for file in std::env::args().skip(1) {
        let script =
            match replay::script::reader::read(&file, &std::fs::read_to_string(&file).unwrap(), &mut |_| {
                Err("no".into())
            }) {
                Ok(s) => s,
                Err(e) => {
                    for e in e {
                        println!("{e}");
                    }
                    continue;
                }
            };
        let plan = std::sync::Arc::new(match replay::plan::make(&script, Default::default()) {
            Ok(p) => p,
            Err(e) => {
                for e in e {
                    println!("{e}");
                }
                continue;
            }
        });
        let verbose = std::env::var("V").is_ok();
        let listener: Option<replay::run::Listener> = verbose.then(|| {
            Box::new(|s: &replay::trace::Sight<'_>| {
                let mut l = String::new();
                s.print_into(&mut l);
                println!("{l}");
            }) as _
        });
        let t = std::time::Instant::now();
        let findings = replay::run::run(&plan, plan.seed, listener).unwrap();
        let report = replay::report::Report::new(&plan, &findings);
        println!("{file}: exit {} in {:?}\n{}", report.exit_code(), t.elapsed(), report.console());
    }
}
