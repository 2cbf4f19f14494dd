//! The hard rules of axi 7.1, and what axi 2 and 4 say of values. Written down a second time, so that a slip in the tables of
//! the server is found.

use axi::element::Element;

/// The longest answer that one client family reads: a TLS record (axi 4.3).
const RECORD: usize = 16_384;

/// Every attribute of `<user>` that clients know (axi 4.1), but for those that only newer ones do.
const USER: &str = "uid uidSec permanent relType ppn timeStamp name num hierarchy1 hierarchy2 addId sipAuthId sosNum manDownNum \
    voiceboxNum lang forwardState forwardDest forwardTime holdRingBackTime callWaitingDisabled autoAnswer microphoneMute \
    warningTone allowBargeIn trackingActive autoLogoutOnCharge locRight locatable msgRight sendVcardRight recvVcardRight \
    keepLocalPB vip sipRegisterCheck external BTlocatable BTsensitivity conferenceServerType conferenceServerURI \
    monitoringMode HAS HSS HRS HCS SRS SCS CDS HBS BTS SWS CUS allowVideoStream fixedSipPort calculatedSipPort \
    hotDeskingSupport useSIPUserName useSIPUserAuthentication serviceUserName serviceAuthName configurationDataLoaded \
    ppProfileId ppData ppnOld timeStampAdmin timeStampRelation authenticateLogout keyLockEnable keyLockTime";
/// Those that only newer clients know: told when somebody has set them.
const NEWER: &str = "altDisplayNum sipProfileId pickupGroupNum";
/// Every attribute of `<pp>` that clients know (axi 4.2), but for the authentication code, which is told to nobody.
const PP: &str = "ppn ppnSec relType uid timeStamp ipei s uak encrypt capMessaging capMessagingForInternalUse capEnhLocating \
    capBluetooth ethAddr hwType ppProfileCapability ppDefaultProfileLoaded subscribeToPARIOnly ommId ommIdAck \
    timeStampAdmin timeStampRelation timeStampRoaming timeStampSubscription roaming autoCreate modicType locationData \
    dectIeFixedId subscriptionId";

/// Attributes that are whole numbers, wherever they stand.
const NUMBERS: &str = "seq maxLen timeStamp protocolVersion axiClients uptime uid uidSec ppn ppnSec ppnOld timeStampAdmin \
    timeStampRelation timeStampRoaming timeStampSubscription forwardTime holdRingBackTime fixedSipPort calculatedSipPort \
    ppProfileId keyLockTime sipProfileId pickupGroupNum id nRecords uidFirst ppnFirst idFirst subscribed subscribedDevs \
    nSipRegistration nLocatable nMsgSend usersActiveMonitored usersPassiveMonitored usersWarned usersUnavailable \
    usersEscalated regServerPort reasonCode omm rfpNum site ppProfileNum ppnNum records userId elemId numElemPerRec \
    recordSets resolution rfpId relTime regPeriod proxyPort regPort \
    outboundProxyPort secondaryProxyPort secondaryRegPort secondaryOutboundProxyPort tertiaryProxyPort tertiaryRegPort \
    tertiaryOutboundProxyPort maxRegistrations timeout";
/// Attributes that are `0` or `1`, wherever they stand.
const BOOLS: &str = "permanent callWaitingDisabled trackingActive autoLogoutOnCharge locRight locatable msgRight sendVcardRight \
    recvVcardRight keepLocalPB vip sipRegisterCheck external BTlocatable allowVideoStream hotDeskingSupport \
    configurationDataLoaded authenticateLogout encrypt capMessaging capMessagingForInternalUse capEnhLocating capBluetooth \
    ppProfileCapability ppDefaultProfileLoaded subscribeToPARIOnly autoCreate deleted deletedUser deletedDev delete active \
    registered useCommonFileNameOnServer gruu failoverActive spreadRegRenew restrictedSubscrDur";
/// Attributes that are one of these words.
const WORDS: &[(&str, &str)] = &[
    ("transportProt", "UDP TCP UDPAndTCP TLS PersistentTLS"),
    (
        "trType",
        "None LinkEstablish Release Establish PPNotFound PagingStarted ReleaseFromPP PPSetupRejected ComsRelease \
        ComsEstablish SsFac SsRelease SsEstablish ConnHandover LocReg Detach Cc Ss Coms",
    ),
    ("relType", "Unbound Dynamic Fixed"),
    (
        "lang",
        "English German French Spanish Italian Dutch Swedish Portuguese Danish Finnish Norwegian Czech Slovakian \
        Hungarian Russian Turkish Polish Estonian",
    ),
    ("forwardState", "Off Busy NoAnswer BusyNoAnswer All"),
    ("autoAnswer", "On Off Global"),
    ("microphoneMute", "On Off Global"),
    ("warningTone", "On Off Global"),
    ("allowBargeIn", "On Off Global"),
    ("useSIPUserName", "On Off Global"),
    ("useSIPUserAuthentication", "On Off Global"),
    ("keyLockEnable", "On Off Global"),
    ("BTsensitivity", "low medium high"),
    ("conferenceServerType", "None Integrated External ExternalBlindTransfer Global"),
    ("monitoringMode", "Off Passive Active"),
    ("s", "No Unconfirmed Yes"),
    ("hwType", "Unknown 142d 610d 620d 630d 612d 622d 632d 650c 740cv GAP"),
    ("roaming", "RoamingComplete"),
    ("mode", "Off Configured Wildcard"),
    ("login", "NUMBER ID"),
    ("callState", "ringing calling paging connected idle none"),
    ("sipEvent", "sipRegistrationEvent sipRegistrationEndEvent sipNotifyEvent"),
    ("regServerType", "None Primary Secondary Tertiary"),
    ("ommStbState", "OK NotSynchronized DifferentOMMTypes DifferentOMMVersions None"),
    ("ommPlatform", "linux-pc rfp"),
    ("severity", "OK Idle Warning Error"),
    ("component", "uds userDeviceSync"),
    ("result", "Imported Failed"),
    ("protocol", "FTP FTPS HTTP HTTPS TFTP SFTP SCP None"),
    ("aging", "time3Months time6Months count50Logins count100Logins none"),
    ("state", "dontCare changed notChanged expired"),
    (
        "errCode",
        "EAreaFull EAuth EDectRegDomainInvalid EEncryptNotAllowed EExist EFailed EForbidden EInProgress EInval \
        EInvalidChars ELicense ELicenseFile ELicenseWrongInstallId EMissing ENoEnt ENoMem EPerm EPwEmpty EPwUnchanged \
        EPwSimilarToHost EPwSimilarToName EPwTooManySimilarChars EPwTooShort EPwTooSimilar EPwTooWeak ETooLong \
        EWlanRegDomainInvalid",
    ),
];
/// Attributes that are texts, which may be empty.
const TEXTS: &str = "info bad eventType name num hierarchy1 hierarchy2 addId sipAuthId sosNum manDownNum voiceboxNum forwardDest \
    conferenceServerURI serviceUserName serviceAuthName ppData altDisplayNum ipei uak ethAddr ommId ommIdAck modicType \
    locationData dectIeFixedId subscriptionId ommVersion axiVersion ommAxiSpecVersion sari modulus exponent username permission \
    ac group sipDomain host path reason filename regServerAddr park proxyServer regServer outboundProxyServer \
    secondaryProxyServer secondaryRegServer secondaryOutboundProxyServer tertiaryProxyServer tertiaryRegServer \
    tertiaryOutboundProxyServer sipRegisterCheckNum omm1DomainName omm2DomainName user";

/// Where an `enable` is spelt as a word: one client family takes anything but `true` for "no" (axi 2.2).
const SPELT: &[&str] =
    &["GetDevAutoCreateResp", "SetDevAutoCreateResp", "GetRFPCaptureResp", "SetRFPCaptureResp"];
/// Answers that are lists, and what is in them.
const LISTS: &[(&str, &str)] = &[
    ("GetPPUserResp", "user"),
    ("GetPPUserByNumberResp", "user"),
    ("CreatePPUserResp", "user"),
    ("SetPPUserResp", "user"),
    ("GetPPDevResp", "pp"),
    ("GetPPDevByIPEIResp", "pp"),
    ("CreatePPDevResp", "pp"),
    ("SetPPDevResp", "pp"),
    ("SetPPResp", "user pp"),
    ("CreateFixedPPResp", "user pp"),
    ("GetAccountResp", "account"),
    ("CreateAccountResp", "account"),
    ("SetAccountResp", "account"),
    ("GetPpProfileResp", "ppProfile"),
    ("GetHealthStateResp", "health"),
    ("GetRFPResp", "rfp"),
    ("GetRFPStatisticConfigResp", "rfpStatName"),
    ("OpenResp", "publicKey permission"),
    ("GetLastPPDevActionResp", "pp"),
    ("GetActivePPDevResp", "pp"),
];

/// Whether a message of this name is an event.
pub(crate) fn is_event(name: &str) -> bool {
    name.starts_with("Event")
}

/// Holds the answer to a request against the rules.
pub(crate) fn answer(request: &str, told: &str) -> Element<'static> {
    let asked = Element::read(request.as_bytes()).expect("a request");
    let element = one(told);
    assert_eq!(element.name(), format!("{}Resp", asked.name()), "{told}");
    let cookie = asked.get("seq").filter(|cookie| cookie.parse::<i64>().is_ok());
    assert_eq!(element.get("seq"), cookie, "{request}: {told}");
    if element.get("errCode").is_some() {
        assert!(element.children().is_empty(), "{told}");
        return element;
    }
    if let Some((_, children)) = LISTS.iter().find(|(name, _)| *name == element.name()) {
        for child in children.split_whitespace() {
            assert!(element.child(child).is_some(), "{request}: no <{child}> in {told}");
        }
    }
    if element.name() == "OpenResp" {
        assert!(element.get("protocolVersion").is_some() && element.get("ommStbState").is_some(), "{told}");
        let key = element.child("publicKey").expect("a key");
        for part in ["modulus", "exponent"] {
            let digits = key.get(part).unwrap_or_default();
            let upper = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
            assert!(
                !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(upper),
                "{told}"
            );
        }
    }
    element
}

/// Holds an event against the rules.
pub(crate) fn event(told: &str) -> Element<'static> {
    let element = one(told);
    assert!(
        is_event(element.name()) && element.get("seq").is_none() && element.get("errCode").is_none(),
        "{told}"
    );
    element
}

/// One message: its bytes, and every value in it.
fn one(told: &str) -> Element<'static> {
    let element = Element::read(told.as_bytes()).unwrap_or_else(|why| panic!("{why}: {told}")).into_owned();
    // One spelling: no declaration, and nothing between children, which reading would have dropped.
    assert_eq!(element.to_string(), told);
    assert!(told.len() < RECORD && !told.contains('\0'), "{} bytes", told.len());
    // Versions by message name, and counts of base stations, have names that nobody else has.
    let is_table = ["GetVersionsResp", "GetRFPSummaryResp"].contains(&element.name());
    match is_table && element.get("errCode").is_none() {
        true => numbers(&element, told),
        false => values(element.name(), &element, told),
    }
    element
}

fn numbers(element: &Element<'_>, told: &str) {
    for (name, value) in element.attributes() {
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        assert!(!value.is_empty() && is_number, "{name} in {told}");
    }
    assert!(element.children().is_empty() && element.text().is_empty(), "{told}");
}

fn values(message: &str, element: &Element<'_>, told: &str) {
    match element.name() {
        "permission" => {
            let known = element.text().parse::<axi::open::Permission>();
            assert!(known.is_ok() && element.children().is_empty(), "{told}");
        }
        _ => assert_eq!(element.text(), "", "{told}"),
    }
    for (name, value) in element.attributes() {
        let has = |names: &str| names.split_whitespace().any(|known| known == name);
        match element.name() {
            "user" => assert!(has(USER) || has(NEWER), "{name} in {told}"),
            "pp" => assert!(has(PP) || has("trType rfpId relTime"), "{name} in {told}"),
            _ => {}
        }
        if name == "enable" {
            let words = if SPELT.contains(&message) { ["true", "false"] } else { ["1", "0"] };
            assert!(words.contains(&value), "{name} in {told}");
        } else if has(NUMBERS) {
            assert!(value.parse::<i64>().is_ok(), "{name} in {told}");
        } else if has(BOOLS) || name.starts_with("have") {
            assert!(["0", "1"].contains(&value), "{name} in {told}");
        } else if let Some((_, words)) = WORDS.iter().find(|(word, _)| *word == name) {
            assert!(words.split_whitespace().any(|word| word == value), "{name}={value} in {told}");
        } else {
            assert!(has(TEXTS), "nobody has said what {name} is, in {told}");
        }
    }
    for child in element.children() {
        values(message, child, told);
    }
}

/// The request with this value in the place of each of its values, one after the other, and with each of them left out.
pub(crate) fn spoilt(whole: &Element<'_>, value: &str) -> Vec<String> {
    let count = whole.attributes().len()
        + whole.children().iter().map(|child| child.attributes().len()).sum::<usize>();
    let mut all = Vec::new();
    for place in 0..count {
        all.push(replaced(whole, place, Some(value)));
        if value.is_empty() {
            all.push(replaced(whole, place, None));
        }
    }
    all
}

fn replaced(whole: &Element<'_>, place: usize, with: Option<&str>) -> String {
    let mut at = 0;
    let mut copy = |element: &Element<'_>| {
        let mut copy = Element::new(element.name().to_owned());
        for (name, value) in element.attributes() {
            let value = if at == place { with } else { Some(value) };
            if let Some(value) = value {
                copy.set(name.to_owned(), value.to_owned());
            }
            at += 1;
        }
        copy
    };
    let mut spoilt = copy(whole);
    for child in whole.children() {
        spoilt.push(copy(child));
    }
    spoilt.to_string()
}
