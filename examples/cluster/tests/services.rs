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

#[test]
fn s3_has_a_bucket_for_each_test() {
    let Some(s3) = gametel_cluster::s3("s3_has_a_bucket_for_each_test") else {
        return;
    };
    assert_ne!(gametel_cluster::bucket(&s3), gametel_cluster::bucket(&s3));
}

#[test]
fn a_private_hdfs_is_killed_and_comes_back_with_its_files_and_its_data_node() {
    let test = "a_private_hdfs_is_killed_and_comes_back_with_its_files_and_its_data_node";
    let Some(hdfs) = gametel_cluster::PrivateHdfs::start(test) else {
        return;
    };
    hdfs.fs(&["-mkdir", "/kept"]);
    let data_nodes = || hdfs.dfsadmin(&["-report"]).matches("Hostname: ").count();
    assert_eq!(data_nodes(), 1);
    hdfs.freeze();
    hdfs.thaw();
    hdfs.kill();
    let address = hdfs.url().strip_prefix("hdfs://").expect("it is an hdfs URL");
    TcpStream::connect(address).expect_err("a dead NameNode accepts nothing");
    hdfs.restart();
    assert!(hdfs.exists("/kept") && !hdfs.exists("/none"));
    assert_eq!(data_nodes(), 1);
}
