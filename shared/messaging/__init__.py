"""Adapters to SQS, SES, SNS and S3, and what their errors mean."""
