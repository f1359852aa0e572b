//! PostgreSQL and anvil of a devnet: started, killed, opened again with what they held.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, U256};
use alloy::providers::{Provider, ProviderBuilder};
use sqlx::{Connection, Executor, PgConnection};
use tatum_cli::anvil::Anvil;
use tatum_cli::ports::Ports;
use tatum_cli::postgres::Postgres;
use tatum_cli::supervise::Supervisor;
use tatum_cli::tools::Tools;
use tatum_cli::{anvil, postgres};

/// Shared by all tests, so that what is not on this machine is installed once.
fn tools() -> Tools {
    Tools::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools"), None)
}

fn supervisor(folder: &Path) -> Supervisor {
    Supervisor::new(PathBuf::from(env!("CARGO_BIN_EXE_tatum")), folder.join("logs")).unwrap()
}

#[tokio::test]
async fn postgres_keeps_its_data_through_a_kill_and_lets_nobody_in_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let data = folder.path().join("postgres");
    let server = Postgres::start(&supervisor, &tools(), &Ports::default(), &data, None).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    connection.execute("CREATE TABLE kept (n INT); INSERT INTO kept VALUES (7)").await.unwrap();
    let stranger = format!("postgres://tatum:wrong@127.0.0.1:{}/tatum", server.port());
    assert!(PgConnection::connect(&stranger).await.is_err());
    supervisor.kill(postgres::NAME).await.unwrap();

    // The killed server's pid file is still there.
    let server = Postgres::start(&supervisor, &tools(), &Ports::default(), &data, None).await.unwrap();
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let kept: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 7);
    supervisor.stop_all().await;
    assert!(!supervisor.log_tail(postgres::NAME, 200).contains("PANIC"));
}

#[tokio::test]
async fn anvil_keeps_its_blocks_and_balances() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let data = folder.path().join("anvil");
    let account = Address::repeat_byte(7);
    let chain = Anvil::start(&supervisor, &tools(), &Ports::default(), &data, None).await.unwrap();
    chain.fund_gas(account, U256::from(5)).await.unwrap();
    let provider = ProviderBuilder::new().connect_http(chain.url().parse().unwrap());
    assert!(provider.get_accounts().await.unwrap().is_empty(), "accounts whose keys are public");
    let block = loop {
        match provider.get_block_number().await.unwrap() {
            0 => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            number => break provider.get_block(number.into()).await.unwrap().unwrap(),
        }
    };
    supervisor.stop(anvil::NAME).await.unwrap();
    assert!(Anvil::has_state(&data));

    let chain = Anvil::start(&supervisor, &tools(), &Ports::default(), &data, None).await.unwrap();
    let provider = ProviderBuilder::new().connect_http(chain.url().parse().unwrap());
    assert_eq!(provider.get_balance(account).await.unwrap(), U256::from(5));
    let again = provider.get_block(block.header.number.into()).await.unwrap().unwrap();
    assert_eq!(again.header.hash, block.header.hash);
    supervisor.stop_all().await;
}
