//! Clusters that ask who comes: settings of Kafka's client reach it, and their values nobody else.

use std::fs;

use gametel_cluster::{PrivateKafka, free_port};

use crate::kafka::{Record, produce, sword};
use crate::support::{Said, batch, text};

/// A broker with a second listener, whose one user is `ada` with the password `lovelace`.
struct Secured {
    kafka: PrivateKafka,
    url: String,
    folder: tempfile::TempDir,
}

impl Secured {
    /// `protocol` is that of the second listener, `settings` are its own.
    fn start(test: &str, protocol: &str, settings: &str) -> Option<Self> {
        let port = free_port();
        let further = format!(
            "listeners=PLAINTEXT://127.0.0.1:@GAMETEL_KAFKA_PORT@,\
             CONTROLLER://127.0.0.1:@GAMETEL_KAFKA_CONTROLLER_PORT@,DOOR://localhost:{port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:@GAMETEL_KAFKA_PORT@,DOOR://localhost:{port}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:{protocol}\n\
             listener.name.door.sasl.enabled.mechanisms=PLAIN\n\
             listener.name.door.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required user_ada=\"lovelace\";\n\
             {settings}"
        );
        let kafka = PrivateKafka::start_with(test, &further)?;
        let address = kafka.address().to_string();
        batch(&["topic", "ensure", &format!("kafka://{address}/events")]).done();
        produce(&address, "events", &[Record::new(0, &sword("a"))]);
        let url = format!("kafka://localhost:{port}/events");
        Some(Self { kafka, url, folder: tempfile::tempdir().unwrap() })
    }

    fn run(&self, properties: &str, more: &[&str]) -> Said {
        let file = self.folder.path().join("client.properties");
        fs::write(&file, properties).unwrap();
        let output = self.folder.path().join("tables");
        let mut arguments = vec!["run", "--source", &self.url, "--output", text(&output), "--json"];
        arguments.extend(["--kafka-properties", text(&file)]);
        arguments.extend(more);
        batch(&arguments)
    }
}

const PLAIN: &str = "\
# Who we are.
security.protocol = SASL_PLAINTEXT
sasl.mechanism = PLAIN
sasl.username = ada
sasl.password = lovelace
";

#[test]
fn a_password_lets_us_in_and_is_shown_nowhere() {
    let Some(secured) = Secured::start("a_password_lets_us_in", "SASL_PLAINTEXT", "") else {
        return;
    };
    let said = secured.run(PLAIN, &[]);
    assert!(!format!("{said:?}").contains("lovelace"));
    assert_eq!(said.report()["read"], 1);
    let address = secured.kafka.address().to_string();
    let file = secured.folder.path().join("client.properties");
    let described =
        batch(&["topic", "describe", &secured.url, "--kafka-properties", text(&file)]).done();
    assert_eq!(described.lines().count(), 2, "{described}");
    let tail = ["tail", "--source", &secured.url, "--kafka-properties", text(&file)];
    assert_eq!(batch(&tail).done(), sword("a") + "\n");

    // What is given by itself goes before the file.
    let said = secured.run(PLAIN, &["--kafka-property", "sasl.password=hunter2"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    for words in ["does not take who we say we are", "Authentication failed"] {
        assert!(said.stderr.contains(words), "no {words:?} in {}", said.stderr);
    }
    assert!(
        !said.stderr.contains("hunter2") && said.stderr.lines().count() == 1,
        "{}",
        said.stderr
    );

    for (setting, words) in [
        ("sasl.pasword=hunter2", "the Kafka setting sasl.pasword is not valid: No such"),
        ("security.protocol=PLAINTXT", "Invalid value"),
        ("isolation.level=read_uncommitted", "can't be changed: records of aborted"),
        ("hunter2", "not of the form NAME=VALUE"),
    ] {
        let said = secured.run(PLAIN, &["--kafka-property", setting]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(words), "no {words:?} in {}", said.stderr);
        assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
    }
    // The same topic by the open door, with nothing set.
    let open = format!("kafka://{address}/events");
    assert_eq!(batch(&["tail", "--source", &open]).done(), sword("a") + "\n");
}

/// An authority's certificate and one that it has signed for `localhost`, each as PEM in a folder:
/// `ca.pem`, and `both.pem` with the certificate and its key.
#[cfg(feature = "kafka-tls")]
fn certificates(name: &str) -> tempfile::TempDir {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    let folder = tempfile::tempdir().unwrap();
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::new([]).unwrap();
    // Two certificates of one name pass for one that has signed itself.
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&authority_key).unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
    let both = key.serialize_pem() + &certificate.pem();
    fs::write(folder.path().join("both.pem"), both).unwrap();
    folder
}

#[cfg(feature = "kafka-tls")]
#[test]
fn tls_with_certificates_on_both_sides_lets_us_in() {
    let certificates = certificates("the authority");
    let pem = |name: &str| certificates.path().join(name).display().to_string();
    let settings = format!(
        "listener.name.door.ssl.client.auth=required\n\
         listener.name.door.ssl.keystore.type=PEM\n\
         listener.name.door.ssl.keystore.location={both}\n\
         listener.name.door.ssl.truststore.type=PEM\n\
         listener.name.door.ssl.truststore.location={ca}\n",
        both = pem("both.pem"),
        ca = pem("ca.pem"),
    );
    let test = "tls_with_certificates_on_both_sides_lets_us_in";
    let Some(secured) = Secured::start(test, "SASL_SSL", &settings) else { return };
    let trusting = PLAIN.replace("SASL_PLAINTEXT", "SASL_SSL")
        + &format!("ssl.ca.location = {}\n", pem("ca.pem"));
    let complete = format!(
        "{trusting}ssl.certificate.location = {both}\nssl.key.location = {both}\n",
        both = pem("both.pem"),
    );
    assert_eq!(secured.run(&complete, &[]).report()["read"], 1);

    // No certificate of our own; and an authority that did not sign the broker's.
    let others = self::certificates("somebody else");
    let distrusting =
        complete.replace(&pem("ca.pem"), &others.path().join("ca.pem").display().to_string());
    for (properties, words) in [(&trusting, "SSL"), (&distrusting, "certificate verify failed")] {
        let said = secured.run(properties, &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.stderr.contains(words), "no {words:?} in {}", said.stderr);
    }
}
