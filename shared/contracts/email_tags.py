"""The tags of every email that we send, which come back in each of its events: which notice it is, which sending."""

NOTICE_TAG = "notice_id"
ORGANIZATION_TAG = "org_id"
ATTEMPT_TAG = "attempt"
