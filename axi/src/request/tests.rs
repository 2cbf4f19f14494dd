//! Stories about what clients ask for.

use super::*;

fn read(xml: &str) -> Result<Option<Request>, Complaint> {
    Request::read(&Element::read(xml.as_bytes()).unwrap(), false)
}

fn body(xml: &str) -> Body {
    read(xml).unwrap().unwrap().body
}

fn refusal(xml: &str) -> String {
    read(xml).unwrap_err().answer().to_string()
}

#[test]
fn pages_have_one_to_twenty_records() {
    for (max, expected) in
        [("", 1), ("maxRecords=\"0\"", 1), ("maxRecords=\"7\"", 7), ("maxRecords=\"500\"", 20)]
    {
        let look = body(&format!("<GetPPUser uid=\"21\" {max}/>"));
        assert_eq!(look, Body::Look(Look::Users(Page { from: 21, max: expected })), "{max}");
    }
    assert_eq!(
        refusal("<GetPPDev seq=\"0\"/>"),
        "<GetPPDevResp seq=\"0\" errCode=\"EMissing\" bad=\"ppn\"/>"
    );
}

#[test]
fn everything_that_the_four_client_families_need_is_spoken() {
    for xml in [
        "<Open seq=\"0\" username=\"omm\" password=\"omm\"/>",
        "<Ping/>",
        "<GetVersions/>",
        "<Limits/>",
        "<GetPublicKey/>",
        "<GetAccount id=\"1\"/>",
        "<GetSARI/>",
        "<GetSystemName/>",
        "<GetPPUser uid=\"0\" maxRecords=\"20\"/>",
        "<GetPPUserByNumber num=\"101\"/>",
        "<CreatePPUser><user uid=\"0\" ppn=\"0\" num=\"101\"/></CreatePPUser>",
        "<SetPPUser><user uid=\"1\" name=\"Ada\"/></SetPPUser>",
        "<DeletePPUser uid=\"1\"/>",
        "<DeletePPUser num=\"101\"/>",
        "<GetPPDev ppn=\"0\" maxRecords=\"20\"/>",
        "<GetPPDevByIPEI ipei=\"03074 0220259 3\"/>",
        "<CreatePPDev><pp ipei=\"03074 0220259 3\" s=\"Yes\"/></CreatePPDev>",
        "<SetPPDev><pp ppn=\"1\" encrypt=\"1\"/></SetPPDev>",
        "<DeletePPDev ppn=\"1\"/>",
        "<SetPP><user uid=\"1\" ppn=\"2\" relType=\"Dynamic\"/><pp ppn=\"2\" uid=\"1\" relType=\"Dynamic\"/></SetPP>",
        "<GetPP uid=\"1\" ppn=\"2\"/>",
        "<CreateFixedPP plainText=\"1\"><user num=\"101\"/><pp ipei=\"\"/></CreateFixedPP>",
        "<SetPPUserDevRelation uid=\"1\" relType=\"Fixed\"/>",
        "<GetPPState ppn=\"1\"/>",
        "<GetPPUserSummary/>",
        "<GetPPDevSummary/>",
        "<GetLastPPDevAction ppn=\"1\"/>",
        "<GetDECTSubscriptionMode/>",
        "<SetDECTSubscriptionMode mode=\"Configured\" timeout=\"3\"/>",
        "<GetDevAutoCreate/>",
        "<SetDevAutoCreate enable=\"true\"/>",
        "<GetDECTAuthCode/>",
        "<SetDECTAuthCode ac=\"1234\"/>",
        "<Subscribe><e cmd=\"On\" eventType=\"PPDevCnf\" ppn=\"-1\"/></Subscribe>",
        "<GetStbState/>",
        "<GetHealthState/>",
        "<GetRFPSummary/>",
        "<GetRFP id=\"0\" maxRecords=\"20\"/>",
        "<GetRFPStatisticConfig/>",
        "<GetRFPStatistic id=\"0\" maxRecords=\"20\" recordSet=\"0\"/>",
        "<GetRFPCapture/>",
        "<SetRFPCapture enable=\"true\"/>",
    ] {
        let request = read(xml);
        assert!(matches!(request, Ok(Some(_))), "{xml}: {request:?}");
    }
}

#[test]
fn an_unknown_request_is_refused_with_its_cookie_and_an_event_is_not_answered() {
    assert_eq!(
        refusal("<GetWeather seq=\"0\" at=\"Berlin\"/>"),
        "<GetWeatherResp seq=\"0\" errCode=\"EInval\" info=\"this message is not supported\"/>"
    );
    assert_eq!(read("<EventPPUserCnf/>"), Ok(None));
    assert_eq!(read("<PingResp seq=\"0\"/>"), Ok(None));
}

#[test]
fn a_response_carries_the_cookie_if_and_only_if_the_request_did() {
    let with = read("<GetSARI seq=\"0\"/>").unwrap().unwrap();
    assert_eq!(with.respond().to_string(), "<GetSARIResp seq=\"0\"/>");
    let without = read("<GetSARI/>").unwrap().unwrap();
    assert_eq!(without.respond().to_string(), "<GetSARIResp/>");
    assert_eq!(without.refuse(Refused::new(ErrCode::Perm)).to_string(), "<GetSARIResp errCode=\"EPerm\"/>");
}

#[test]
fn a_subscription_window_is_one_to_sixty_minutes_and_none_is_the_usual() {
    let minutes =
        |timeout: &str| match body(&format!("<SetDECTSubscriptionMode mode=\"Wildcard\" {timeout}/>")) {
            Body::Set(Setting::Mode { minutes, .. }) => minutes,
            other => panic!("{other:?}"),
        };
    assert_eq!((minutes(""), minutes("timeout=\"None\""), minutes("timeout=\"60\"")), (3, 3, 60));
    assert!(
        refusal("<SetDECTSubscriptionMode mode=\"Wildcard\" timeout=\"61\"/>").contains("bad=\"timeout\"")
    );
    assert!(refusal("<SetDECTSubscriptionMode mode=\"wildcard\"/>").contains("bad=\"mode\""));
}

#[test]
fn secrets_are_taken_out_and_put_back_in_clear() {
    let Body::Change(mut change) =
        body("<SetPPUser><user uid=\"1\" sipPw=\"CIPHER\" pin=\"OTHER\"/></SetPPUser>")
    else {
        panic!("a change");
    };
    assert_eq!(change.secrets(), [("sipPw", "CIPHER"), ("pin", "OTHER")]);
    assert!(!format!("{change:?}").contains("CIPHER"));
    change.unseal(&["geheim", "1234"].map(Secret::new)).unwrap();
    assert_eq!(change.secrets(), [("sipPw", "geheim"), ("pin", "1234")]);
    assert_eq!(change.unseal(&["x", "123456789"].map(Secret::new)).unwrap_err().max_len, Some(8));
}

#[test]
fn what_only_sync_clients_may_write_is_skipped_for_others() {
    let xml = "<CreatePPDev><pp ipei=\"03074 0220259 3\" s=\"Yes\"/></CreatePPDev>";
    let element = Element::read(xml.as_bytes()).unwrap();
    let subscribed = |sync| match Request::read(&element, sync).unwrap().unwrap().body {
        Body::Change(change) => match *change {
            Change::CreateDevice { device, .. } => device.get("s").map(str::to_owned),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!((subscribed(true).as_deref(), subscribed(false)), (Some("Yes"), None));
}
