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
