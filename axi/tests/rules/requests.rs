//! Every request of axi 7.2, every other one that is answered, and some of those that are not.

/// A request, and how it ends after those before it: with an error code, or well when that is empty.
pub(crate) struct Request {
    /// What is said.
    pub(crate) xml: &'static str,
    /// What comes of it.
    pub(crate) plain: &'static str,
    /// What comes of it in a session with `UserDeviceSyncClient`, when that is something else.
    pub(crate) sync: Option<&'static str>,
}

const fn of(xml: &'static str, plain: &'static str) -> Request {
    Request { xml, plain, sync: None }
}

const fn synced(xml: &'static str, sync: &'static str) -> Request {
    Request { xml, plain: "EPerm", sync: Some(sync) }
}

/// A wish for every event that is told.
pub(crate) const EVERYTHING: &str = "<Subscribe><e cmd=\"On\" eventType=\"PPUserCnf\" uid=\"-1\"/>\
    <e cmd=\"On\" eventType=\"PPDevCnf\" ppn=\"-1\"/><e cmd=\"On\" eventType=\"PPState\" ppn=\"-1\"/>\
    <e cmd=\"On\" eventType=\"PPTransaction\" ppn=\"-1\"/><e cmd=\"On\" eventType=\"PPSipStateRegistered\" ppn=\"-1\"/>\
    <e cmd=\"On\" eventType=\"PPUserSummary\"/><e cmd=\"On\" eventType=\"PPDevSummary\"/>\
    <e cmd=\"On\" eventType=\"DECTSubscriptionMode\"/><e cmd=\"On\" eventType=\"UserDataImport\"/>\
    <e cmd=\"On\" eventType=\"AccountCnf\"/><e cmd=\"On\" eventType=\"AccountSummary\"/>\
    <e cmd=\"On\" eventType=\"SystemCnf\"/><e cmd=\"On\" eventType=\"SystemState\"/></Subscribe>";

/// On a directory as `World::filled` makes it, in this order.
pub(crate) const REQUESTS: &[Request] = &[
    // The session.
    of("<Open username=\"omm\" password=\"geheim\"/>", "EForbidden"),
    of("<Ping/>", ""),
    of("<Ping timeStamp=\"1\"/>", ""),
    of("<GetVersions/>", ""),
    of("<Limits/>", ""),
    of("<GetPublicKey/>", ""),
    of("<Subscribe><e cmd=\"On\" eventType=\"RFPState\" rfpId=\"-1\"/></Subscribe>", ""),
    of("<Subscribe><e cmd=\"On\" eventType=\"Weather\"/></Subscribe>", "EInval"),
    of("<Subscribe/>", "EMissing"),
    // Accounts.
    of("<GetAccount id=\"0\" maxRecords=\"20\"/>", ""),
    of("<GetAccount id=\"1000\"/>", ""),
    of("<GetAccount id=\"2000\"/>", "ENoEnt"),
    of("<GetAccountSummary/>", ""),
    of(
        "<CreateAccount><account username=\"reader\" password=\"*geheim geheim\" permission=\"AllCnfRead\"/></CreateAccount>",
        "",
    ),
    of("<CreateAccount><account username=\"reader\" password=\"*geheim geheim\"/></CreateAccount>", "EExist"),
    of(
        "<CreateAccount plainText=\"1\"><account username=\"other\" password=\"short\"/></CreateAccount>",
        "EPwTooShort",
    ),
    of("<SetAccount><account id=\"1001\" permission=\"\"/></SetAccount>", ""),
    of("<SetAccount><account id=\"1\" active=\"0\"/></SetAccount>", "EForbidden"),
    of("<DeleteAccount id=\"1001\"/>", ""),
    of("<DeleteAccount id=\"1001\"/>", "ENoEnt"),
    // The system.
    of("<GetSARI/>", ""),
    of("<GetSystemName/>", ""),
    of("<GetStbState/>", ""),
    of("<GetHealthState/>", ""),
    of("<GetUserDataServer/>", ""),
    of("<ManualUserDataImport userId=\"101\"/>", ""),
    of("<GetPPLoginVariant/>", ""),
    of("<GetDECTSubscriptionMode/>", ""),
    of("<SetDECTSubscriptionMode mode=\"Wildcard\" timeout=\"None\"/>", ""),
    of("<SetDECTSubscriptionMode mode=\"Configured\" timeout=\"3\"/>", ""),
    of("<SetDECTSubscriptionMode mode=\"configured\" timeout=\"3\"/>", "EInval"),
    of("<GetDevAutoCreate/>", ""),
    of("<SetDevAutoCreate enable=\"True\"/>", ""),
    of("<SetDevAutoCreate/>", "EMissing"),
    of("<GetDECTAuthCode/>", ""),
    of("<SetDECTAuthCode ac=\"4711\"/>", ""),
    of("<SetDECTAuthCode ac=\"x\"/>", "EInvalidChars"),
    of("<GetDECTAuthCode/>", ""),
    // What stands in the site's file, and what starts the OMM over.
    of("<GetPARK/>", ""),
    of("<SetPARK park=\"1F102F0E86\"/>", ""),
    of("<SetPARK park=\"1F10187326\"/>", "EForbidden"),
    of("<SetSystemName name=\"aachen\"/>", ""),
    of("<SetSystemName name=\"berlin\"/>", "EForbidden"),
    of("<SetSARI sari=\"1F10187326\"/>", ""),
    of("<SetSARI sari=\"0000000000\"/>", "EInval"),
    of("<SetSARI/>", "EMissing"),
    of("<GetUserDeviceSyncOMM/>", ""),
    of(
        "<SetUserDeviceSyncOMM enable=\"1\" omm1DomainName=\"central.example\" omm2DomainName=\"\" user=\"sync\" password=\"\"/>",
        "",
    ),
    of("<SetUserDeviceSyncOMM enable=\"1\" omm1DomainName=\"other.example\"/>", "EForbidden"),
    of("<SetUserDeviceSyncOMM enable=\"1\" password=\"geheim\"/>", "EForbidden"),
    of("<SetUserDeviceSyncOMM omm1DomainName=\"central.example\"/>", "EMissing"),
    of("<GetBasicSIP/>", ""),
    of(
        "<SetBasicSIP transportProt=\"PersistentTLS\" proxyServer=\"pbx.example\" proxyPort=\"0\" gruu=\"True\"/>",
        "",
    ),
    of("<SetBasicSIP proxyServer=\"other.example\"/>", "EForbidden"),
    of("<GetBackupSIP/>", ""),
    of("<SetBackupSIP failoverActive=\"1\"/>", ""),
    of("<SetBackupSIP failoverActive=\"1\" failoverTime=\"5\"/>", "EForbidden"),
    of("<GetRegistrationTrafficShaping/>", ""),
    of("<SetRegistrationTrafficShaping maxRegistrations=\"128\"/>", ""),
    of(
        "<SetRegistrationTrafficShaping maxRegistrations=\"1\" timeout=\"30\" spreadRegRenew=\"1\"/>",
        "EForbidden",
    ),
    of("<GetPreserveUserDeviceRelation/>", ""),
    of("<SetPreserveUserDeviceRelation enable=\"true\"/>", ""),
    of("<SetPreserveUserDeviceRelation enable=\"0\"/>", "EForbidden"),
    of("<GetRestrictedSubscriptionDuration/>", ""),
    of("<SetRestrictedSubscriptionDuration restrictedSubscrDur=\"0\"/>", ""),
    of("<SetRestrictedSubscriptionDuration restrictedSubscrDur=\"1\"/>", "EForbidden"),
    of("<SetUserDataServer enable=\"1\"/>", ""),
    of("<SetUserDataServer><url enable=\"1\"/></SetUserDataServer>", ""),
    of("<SetUserDataServer><url enable=\"0\"/></SetUserDataServer>", "EForbidden"),
    of("<SetPPLoginVariant login=\"NUMBER\"/>", ""),
    of("<SetPPLoginVariant login=\"ID\"/>", "EForbidden"),
    // Base stations, which there are none of.
    of("<GetRFPSummary/>", ""),
    of("<GetRFP id=\"0\" maxRecords=\"20\"/>", "ENoEnt"),
    of("<GetRFPStatisticConfig/>", ""),
    of("<GetRFPStatistic id=\"0\" maxRecords=\"20\" recordSet=\"0\"/>", ""),
    of("<GetRFPCapture/>", ""),
    of("<SetRFPCapture enable=\"true\"/>", ""),
    of("<SetRFPCapture enable=\"yes\"/>", "EInval"),
    // Users and handsets.
    of("<GetPPUser uid=\"0\" maxRecords=\"20\"/>", ""),
    of("<GetPPUser uid=\"1\" maxRecords=\"0\"/>", ""),
    of("<GetPPUser uid=\"99\"/>", "ENoEnt"),
    of("<GetPPUserByNumber num=\"101\"/>", ""),
    of("<GetPPUserByNumber num=\"999\"/>", "ENoEnt"),
    of("<GetPPDev ppn=\"0\" maxRecords=\"20\"/>", ""),
    of("<GetPPDev ppn=\"99\"/>", "ENoEnt"),
    of("<GetPPDevByIPEI ipei=\"03074 0220259 3\"/>", ""),
    of("<GetPPDevByIPEI ipei=\"nonsense\"/>", "ENoEnt"),
    of("<GetPP uid=\"1\" ppn=\"1\"/>", ""),
    of("<GetPP uid=\"0\" ppn=\"2\"/>", ""),
    of("<GetPP uid=\"9\" ppn=\"9\"/>", "ENoEnt"),
    of("<GetPPState ppn=\"1\"/>", ""),
    of("<GetPPState ppn=\"2\"/>", ""),
    of("<GetPPState ppn=\"9\"/>", "ENoEnt"),
    of("<GetLastPPDevAction ppn=\"1\"/>", ""),
    of("<GetLastPPDevAction id=\"0\" maxRecords=\"20\"/>", ""),
    of("<GetLastPPDevAction id=\"2\"/>", "ENoEnt"),
    of("<GetActivePPDev id=\"0\" maxRecords=\"20\"/>", "ENoEnt"),
    of("<GetPPUserSummary/>", ""),
    of("<GetPPDevSummary/>", ""),
    of(
        "<CreatePPUser><user uid=\"0\" ppn=\"0\" num=\"104\" name=\"Dora\" sipPw=\"*geheim\"/></CreatePPUser>",
        "",
    ),
    of("<CreatePPUser><user num=\"104\"/></CreatePPUser>", "EExist"),
    of("<CreatePPUser><user num=\"105\" colour=\"red\"/></CreatePPUser>", "EInval"),
    of("<CreatePPUser><user num=\"105\" sipPw=\"not ours\"/></CreatePPUser>", "EInval"),
    of(
        "<CreatePPUser plainText=\"1\" replaceData=\"1\"><user uid=\"4\" name=\"\" num=\"\" addId=\"\" sipAuthId=\"\" sipPw=\"\" pin=\"\" fixedSipPort=\"0\"/></CreatePPUser>",
        "",
    ),
    of(
        "<SetPPUser><user uid=\"1\" name=\"Eva\" hierarchy1=\"GURU_MGR\" lang=\"German\" external=\"1\"/></SetPPUser>",
        "",
    ),
    of("<SetPPUser><user uid=\"1\" name=\"\" hierarchy1=\"\" forwardState=\"Off\"/></SetPPUser>", ""),
    of("<SetPPUser><user uid=\"99\" name=\"Eva\"/></SetPPUser>", "ENoEnt"),
    of("<SetPPUserTracking uid=\"1\" trackingActive=\"1\"/>", ""),
    of("<SetPPUserDevRelation uid=\"1\" relType=\"Fixed\"/>", ""),
    of("<SetPPUserDevRelation uid=\"1\" relType=\"Dynamic\"/>", ""),
    of("<SetPPUserDevRelation uid=\"2\" relType=\"Fixed\"/>", "EInval"),
    of(
        "<CreatePPDev><pp ppn=\"0\" ipei=\"00130 0000001 5\" relType=\"Unbound\" uid=\"0\"/></CreatePPDev>",
        "",
    ),
    of("<CreatePPDev><pp encrypt=\"1\"/></CreatePPDev>", "EMissing"),
    of(
        "<SetPPDev><pp ppn=\"4\" hwType=\"GAP\" encrypt=\"1\" roaming=\"RoamingComplete\" ommId=\"102A7C82\"/></SetPPDev>",
        "",
    ),
    of("<SetPPDev><pp ppn=\"4\" ipei=\"\"/></SetPPDev>", ""),
    of("<SetPPDev><pp ppn=\"4\" subscribeToPARIOnly=\"1\"/></SetPPDev>", "EForbidden"),
    of("<SetPPDev><pp ppn=\"3\" subscribeToPARIOnly=\"1\"/></SetPPDev>", ""),
    of("<CreateFixedPP><user num=\"106\"/><pp ipei=\"00130 0000002 6\"/></CreateFixedPP>", ""),
    of(
        "<CreateFixedPP replaceData=\"1\"><user num=\"106\" name=\"Gabi\"/><pp ipei=\"00130 0000002 6\"/></CreateFixedPP>",
        "",
    ),
    of("<CreateFixedPP><user num=\"106\"/><pp ipei=\"00130 0000002 6\"/></CreateFixedPP>", "EExist"),
    synced(
        "<SetPP><user uid=\"2\" ppn=\"2\" relType=\"Dynamic\"/><pp ppn=\"2\" uid=\"2\" relType=\"Dynamic\"/></SetPP>",
        "",
    ),
    synced(
        "<SetPP><pp ppn=\"2\" uid=\"2\" relType=\"Dynamic\"/><user uid=\"2\" ppn=\"2\" relType=\"Dynamic\"/></SetPP>",
        "",
    ),
    synced(
        "<SetPP><user uid=\"2\" ppn=\"1\" relType=\"Dynamic\"/><pp ppn=\"1\" uid=\"2\" relType=\"Dynamic\"/></SetPP>",
        "EExist",
    ),
    synced(
        "<SetPP><user uid=\"2\" ppn=\"0\" relType=\"Unbound\"/><pp ppn=\"2\" uid=\"0\" relType=\"Unbound\"/></SetPP>",
        "",
    ),
    // Parted already: the answer has both all the same.
    synced(
        "<SetPP><user uid=\"2\" ppn=\"0\" relType=\"Unbound\"/><pp ppn=\"2\" uid=\"0\" relType=\"Unbound\"/></SetPP>",
        "",
    ),
    synced(
        "<SetPP><user uid=\"2\" ppn=\"0\" relType=\"Unbound\"/><pp ppn=\"1\" uid=\"0\" relType=\"Unbound\"/></SetPP>",
        "EInval",
    ),
    synced(
        "<SetPP><user uid=\"2\" ppn=\"0\" relType=\"Unbound\"/><pp ppn=\"99\" uid=\"0\" relType=\"Unbound\"/></SetPP>",
        "ENoEnt",
    ),
    synced("<SetPP><user uid=\"2\" ppn=\"0\" relType=\"Unbound\"/><pp uid=\"0\"/></SetPP>", "EMissing"),
    // A client that has no handset in mind parts the user from its own.
    synced("<SetPP><user uid=\"1\" ppn=\"0\" relType=\"Unbound\"/><pp relType=\"Unbound\"/></SetPP>", ""),
    // Profiles.
    of("<GetPpProfile id=\"0\" maxRecords=\"20\"/>", ""),
    of("<GetPpProfile Id=\"4\"/>", "ENoEnt"),
    of("<CreatePpProfile><ppProfile id=\"20\" name=\"Lab\"/></CreatePpProfile>", ""),
    of("<CreatePpProfile><ppProfile id=\"20\"/></CreatePpProfile>", "EExist"),
    of("<SetPpProfile><ppProfile id=\"20\" ppData=\"\"/></SetPpProfile>", ""),
    of("<DeletePpProfile id=\"20\"/>", ""),
    of("<DeletePpProfile id=\"20\"/>", "ENoEnt"),
    // Deletion.
    of("<DeletePPUser uid=\"4\"/>", ""),
    of("<DeletePPUser num=\"104\"/>", "ENoEnt"),
    of("<DeletePPDev ppn=\"4\"/>", ""),
    of("<DeletePPDev ppn=\"4\"/>", "ENoEnt"),
    // What is not spoken here.
    of("<GetWLANProfile id=\"0\"/>", "EInval"),
    of("<SendMessage/>", "EInval"),
];
