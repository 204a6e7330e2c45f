//! Which headers carry credentials, by their names.

/// How the [plain](plain) names of headers end that no setting can keep, whoever invented them: they
/// carry credentials. A key alone need not be one: `Idempotency-Key` is none.
const SECRET_ENDINGS: [&str; 35] = [
    "accesscode",
    "accesskey",
    "apikey",
    "appkey",
    "assertion",
    "auth",
    "authcode",
    "authentication",
    "authkey",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "creds",
    "jwt",
    "masterkey",
    "mfacode",
    "otp",
    "otpcode",
    "passcode",
    "passkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "sessid",
    "sessionid",
    "sessionkey",
    "subscriptionkey",
    // Of a game's platform, such as Steam: a token under another name.
    "ticket",
    "token",
];

/// Headers that are secret, too: whose names do not say so, or end as harmless ones do, too, as
/// `X-Bypass` and `X-Shipping`.
const SECRET: [&str; 15] = [
    // Of HTTP itself, and of what was once to be HTTP.
    "DPoP",
    "Cookie2",
    "Set-Cookie2",
    // What a proxy in front passes on: a token, whatever its name says.
    "X-Amzn-Oidc-Data",
    // Of services.
    "Fastly-Key",
    "X-Firebase-Appcheck",
    "X-Functions-Key",
    // Short for what is in the endings. A game's session, as in `X-Game-Session`, is none.
    "Pass",
    "X-Pass",
    "Pin",
    "X-Pin",
    "Session",
    "X-Session",
    "Sid",
    "X-Sid",
];

/// Whether a plain name is of a header that carries credentials.
pub(super) fn is_secret(plain_name: &str) -> bool {
    SECRET_ENDINGS.iter().any(|ending| plain_name.ends_with(ending))
        || SECRET.iter().any(|secret| plain(secret) == plain_name)
}

/// A name's letters and digits, in lower case. Servers and proxies take `_` and `.` for `-` in
/// header names (CGI does), and people write `ApiKey` for `Api-Key`.
pub(super) fn plain(name: &str) -> String {
    let told = name.chars().filter(char::is_ascii_alphanumeric);
    told.map(|character| character.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use crate::header::{HeaderRule, HeaderRuleError};

    #[test]
    fn a_secret_is_refused_however_it_is_spelled() {
        // Not `SECRET` and its endings: what is lost from them must not be lost here.
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "DPoP",
            "Api-Key",
            "X-Api-Key",
            "X-Auth-Token",
            "X-Access-Token",
            "X-Token",
            "X-Refresh-Token",
            "X-Session-Token",
            "X-Csrf-Token",
            "X-Xsrf-Token",
            "X-Amz-Security-Token",
            "X-Goog-Api-Key",
            "X-Functions-Key",
            "Ocp-Apim-Subscription-Key",
            "X-Vault-Token",
            "X-Gitlab-Token",
            "Private-Token",
            "X-Secret-Key",
            "X-Entity-Token",
            "X-Forwarded-Access-Token",
            "X-Goog-Iap-Jwt-Assertion",
            "Cf-Access-Jwt-Assertion",
            "X-Amzn-Oidc-Data",
            "X-Ms-Token-Aad-Access-Token",
            "X-Api-Secret",
            "X-Auth",
            "X-Authentication",
            "X-Auth-Key",
            "X-Client-Secret",
            "X-Jwt",
            "X-Jwt-Assertion",
            "X-Password",
            "X-Rapidapi-Key",
            "X-Parse-Master-Key",
            "X-Amzn-Oidc-Accesstoken",
            "X-Auth-Request-Access-Token",
            "X-Sentry-Auth",
            "X-Consul-Token",
            "X-Hasura-Admin-Secret",
            "DD-Api-Key",
            "Fastly-Key",
            "X-Firebase-Appcheck",
            "Cookie2",
            "Set-Cookie2",
            "X-Otp",
            "X-Totp",
            "X-Otp-Code",
            "X-Mfa-Code",
            "X-Auth-Code",
            "X-Access-Code",
            "X-One-Time-Password",
            "X-Pwd",
            "X-User-Pwd",
            "X-Passwd",
            "X-Passcode",
            "X-Passkey",
            "X-Pass",
            "X-Pin",
            "X-Creds",
            "Session",
            "X-Session",
            "Session-Id",
            "X-Session-Id",
            "X-Session-Key",
            "X-PhpSessId",
            "X-Sid",
            "X-Ticket",
            "X-Auth-Ticket",
            "X-Steam-Ticket",
            "X-Steam-Session-Ticket",
        ] {
            for spelled in [
                name.to_owned(),
                name.to_lowercase(),
                name.to_uppercase(),
                name.replace('-', "_"),
                name.replace('-', ""),
                name.replacen('-', "_", 1),
                name.replace('-', "."),
                name.replace('-', "--"),
            ] {
                let error = HeaderRule::new([&spelled], [""; 0]).unwrap_err();
                assert!(matches!(error, HeaderRuleError::Secret { .. }), "{spelled}");
            }
        }
        for name in ["X-Device", "X-Trace", "Cookie"] {
            assert!(HeaderRule::new([name], ["x_device", "x-trace"]).is_err(), "{name}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_can_be_kept() {
        for name in [
            "Idempotency-Key",
            "X-Token-Type",
            "X-Author",
            "X-Cookies-Accepted",
            "X-Device",
            "X-Session-Count",
            "X-Game-Session",
            "X-Request-Id",
            "X-Player-Id",
            "X-Ticket-Count",
            "X-Country-Code",
            "X-Error-Code",
            "X-Battle-Pass",
            "X-Bypass",
            "X-Compass",
            "X-Spin",
            "X-Ping",
            "X-Shopping-Pin",
            "X-Inside",
            "X-Passenger",
        ] {
            assert!(HeaderRule::new([name], [""; 0]).is_ok(), "{name}");
        }
    }
}
