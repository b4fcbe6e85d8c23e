use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

async fn handle(_event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "greeting": "Hello from Rust" }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
