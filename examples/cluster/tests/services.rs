//! The services answer at the addresses that they are said to have.

use std::net::TcpStream;

#[test]
fn kafka_listens_at_its_address() {
    let Some(address) = gametel_cluster::kafka("kafka_listens_at_its_address") else {
        return;
    };
    TcpStream::connect(&address).expect("the broker accepts a connection");
}

#[test]
fn hdfs_listens_at_its_address() {
    let Some(url) = gametel_cluster::hdfs("hdfs_listens_at_its_address") else {
        return;
    };
    let address = url.strip_prefix("hdfs://").expect("the address is an hdfs URL");
    TcpStream::connect(address).expect("the NameNode accepts a connection");
}

#[test]
fn a_private_kafka_is_killed_frozen_and_comes_back_at_its_address() {
    let test = "a_private_kafka_is_killed_frozen_and_comes_back_at_its_address";
    let Some(kafka) = gametel_cluster::PrivateKafka::start(test) else {
        return;
    };
    let address = kafka.address();
    TcpStream::connect(address).expect("the broker accepts a connection");
    kafka.freeze();
    kafka.thaw();
    kafka.kill();
    TcpStream::connect(address).expect_err("a dead broker accepts nothing");
    kafka.restart();
    TcpStream::connect(address).expect("the broker is back");
    drop(kafka);
    TcpStream::connect(address).expect_err("nothing is left of it");
}
