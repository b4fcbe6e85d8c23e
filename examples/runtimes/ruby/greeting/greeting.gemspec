Gem::Specification.new do |spec|
  spec.name = 'greeting'
  spec.version = '1.0.0'
  spec.summary = 'A gem beside the function'
  spec.authors = ['sam-sync']
  spec.files = ['lib/greeting.rb']
end
