//! The sandbox on a port of its own: `cargo run -p tollgate-testkit --example sandbox -- 127.0.0.1:8088`
//!
//! Enters: an address. Leaves: a provider to curl, with every dial, faults included. Never: leaves loopback unless told to.

use tollgate_testkit::{Dials, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8088".to_owned());
    let listening = Sandbox::for_tests().listen(address.as_str()).await?;
    let url = listening.url();
    println!("sandbox listening on {url}\n");
    println!(
        "curl {url}/v1/chat/completions -d '{{\"model\":\"sandbox-1:gap=50\",\"stream\":true,\
         \"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
    );
    println!("Dials stand behind the model's name, or in the header tollgate-sandbox:\n\n{}", Dials::table());
    tokio::signal::ctrl_c().await
}
