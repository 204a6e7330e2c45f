use std::io;

use hdfs_native::HdfsError;

use crate::error::{BatchError, ErrorKind};

/// Why a call of HDFS was not done, on one line.
#[derive(Debug)]
pub(super) struct Trouble {
    reason: Reason,
    line: String,
}

/// What kind of reason it is; what to do follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no such file or folder.
    Absent,
    /// There is one at the place already.
    Exists,
    /// The user may not.
    Denied,
    /// The folder's quota of names or bytes.
    Quota,
    /// No DataNode takes the data.
    NoPlace,
    /// The NameNode takes no changes.
    SafeMode,
    /// There is no connection.
    Away,
    /// There is one, and nothing comes back.
    Silent,
    /// Somebody has to end something first.
    Busy,
    /// Anything else.
    Other,
}

impl Trouble {
    pub(super) fn new(reason: Reason, line: impl Into<String>) -> Self {
        Self { reason, line: line.into() }
    }

    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Whether the same call may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self.reason {
            Reason::Away | Reason::Busy | Reason::NoPlace => true,
            // One that a person has turned on, or a full disk, ends when a person does something.
            Reason::SafeMode => {
                !self.line.contains("manually") && !self.line.contains("esources are low")
            }
            _ => false,
        }
    }

    pub(super) fn into_error(self, message: String) -> BatchError {
        let before = match self.reason {
            Reason::Quota => "a quota of the folder is used up: ",
            Reason::NoPlace => {
                "no DataNode takes the data, for want of room or because none is up: "
            }
            Reason::SafeMode => "the NameNode is in safe mode: ",
            Reason::Away => "HDFS can't be reached: ",
            _ => "",
        };
        BatchError::new(ErrorKind::Failed, message).with_source(format!("{before}{}", self.line))
    }
}

impl From<HdfsError> for Trouble {
    fn from(error: HdfsError) -> Self {
        match error {
            HdfsError::FileNotFound(_) => Self::new(Reason::Absent, "there is no such file"),
            HdfsError::AlreadyExists(message) => Self::new(Reason::Exists, one_line(&message)),
            HdfsError::RPCError(class, message) | HdfsError::FatalRPCError(class, message) => {
                Self::new(reason_of(&class, &message), one_line(&message))
            }
            HdfsError::IOError(error) => Self::new(Reason::Away, io_line(&error)),
            HdfsError::DataTransferError(message) => Self::new(Reason::Away, one_line(&message)),
            HdfsError::BlocksNotFound(_) => {
                Self::new(Reason::Away, "no DataNode that is up has its blocks")
            }
            HdfsError::OperationFailed(message) => Self::new(Reason::Busy, one_line(&message)),
            other => Self::new(Reason::Other, one_line(&other.to_string())),
        }
    }
}

fn io_line(error: &io::Error) -> String {
    one_line(&error.to_string())
}

/// The Java class of an exception says what it is; that of `RetriableException` stands in the message.
fn reason_of(class: &str, message: &str) -> Reason {
    let name = class.rsplit('.').next().unwrap_or(class);
    match name {
        // Of what lies below a file there can be none.
        "FileNotFoundException" | "ParentNotDirectoryException" => Reason::Absent,
        "AccessControlException" if message.contains("(is not a directory)") => Reason::Absent,
        "FileAlreadyExistsException" => Reason::Exists,
        "AccessControlException" | "AuthorizationException" => Reason::Denied,
        _ if name.ends_with("QuotaExceededException") => Reason::Quota,
        "SafeModeException" => Reason::SafeMode,
        "RetriableException" if message.contains("SafeModeException") => Reason::SafeMode,
        "RetriableException"
        | "RecoveryInProgressException"
        | "StandbyException"
        | "NotReplicatedYetException"
        | "RpcServerException" => Reason::Busy,
        "IOException" if message.contains("could only be written to") => Reason::NoPlace,
        _ => Reason::Other,
    }
}

/// What comes before the Java stack, without the class's name in front.
fn one_line(message: &str) -> String {
    let before_stack = message.lines().take_while(|line| !line.starts_with("\tat "));
    let lines: Vec<_> = before_stack.map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    let without_class = line.split_once(": ").filter(|(class, _)| {
        class.contains('.') && class.ends_with("Exception") && !class.contains(' ')
    });
    without_class.map_or(line.clone(), |(_, rest)| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thrown(class: &str, message: &str) -> Trouble {
        HdfsError::RPCError(class.to_owned(), message.to_owned()).into()
    }

    #[test]
    fn an_exception_is_one_line_without_its_stack() {
        let trouble = thrown(
            "org.apache.hadoop.security.AccessControlException",
            "org.apache.hadoop.security.AccessControlException: Permission denied: user=ann\n\tat \
             org.apache.hadoop.hdfs.server.namenode.FSPermissionChecker.check(F.java:1)\n",
        );
        assert_eq!(trouble.reason(), Reason::Denied);
        let error = trouble.into_error("x can't be written".to_owned());
        assert_eq!(error.one_line(), "x can't be written: Permission denied: user=ann");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let safe_mode = "org.apache.hadoop.hdfs.server.namenode.SafeModeException";
        let starting =
            thrown(safe_mode, "Cannot create /x. The reported blocks 0 needs additional 1");
        assert!(starting.may_pass());
        let by_hand = thrown(safe_mode, "Cannot create /x.\nIt was turned on manually. Use ...");
        assert_eq!((by_hand.reason(), by_hand.may_pass()), (Reason::SafeMode, false));
        assert_eq!(by_hand.line(), "Cannot create /x. It was turned on manually. Use ...");
        let wrapped =
            thrown("org.apache.hadoop.ipc.RetriableException", &format!("{safe_mode}: y"));
        assert_eq!((wrapped.reason(), wrapped.may_pass()), (Reason::SafeMode, true));
        let quota = "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException";
        assert_eq!(thrown(quota, "The DiskSpace quota").reason(), Reason::Quota);
        assert!(!thrown(quota, "The DiskSpace quota").may_pass());
        assert!(
            Trouble::from(HdfsError::IOError(io::ErrorKind::ConnectionRefused.into())).may_pass()
        );
    }
}
